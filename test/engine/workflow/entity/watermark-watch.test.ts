import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallOptions } from '../../../../src/engine/workflow/entity/port.ts';
import { WatermarkWatch } from '../../../../src/engine/workflow/entity/watermark-watch.ts';

const soon = () => new Promise((resolve) => setImmediate(resolve));

function given() {
  const calls: {
    name: string;
    request: object;
    options: CallOptions;
    cancelled: boolean;
    settle: Promise<number | null>;
  }[] = [];
  const settles: { resolve(watermark: number | null): void; reject(error: unknown): void }[] = [];
  const reports: (number | null)[] = [];
  const watch = new WatermarkWatch(
    {
      call: <T>(name: string, request: object, options: CallOptions) => {
        const result = new Promise<T>((resolve, reject) =>
          settles.push({ resolve: resolve as (watermark: number | null) => void, reject }),
        );
        const call = { name, request, options, cancelled: false, settle: result as Promise<number | null> };
        calls.push(call);
        return { result, cancel: () => void (call.cancelled = true) };
      },
    },
    (watermark) => void reports.push(watermark),
  );
  return { watch, calls, settles, reports };
}

test('a wait is an activity that is tried again until event time has passed', async () => {
  const { watch, calls, settles, reports } = given();
  assert.equal(watch.running, false);
  watch.start({ partition: 3 }, Date.UTC(2024, 0, 1));
  assert.equal(watch.running, true);
  const { name, request, options } = calls[0]!;
  assert.deepEqual([name, request], ['readWatermark', { partition: 3 }]);
  assert.deepEqual(options, {
    startToCloseTimeout: 10_000,
    retry: { initialInterval: 2_000, backoffCoefficient: 1.5, maximumInterval: 15_000 },
    summary: 'wait until event time passes 2024-01-01T00:00:00.000Z',
  });
  settles[0]!.resolve(77);
  await soon();
  assert.deepEqual([watch.running, reports], [false, [77]]);
});

test('a look is tried three times, and one that fails reports that nothing is known', async () => {
  const { watch, calls, settles, reports } = given();
  watch.start({});
  assert.deepEqual(calls[0]!.options, {
    summary: 'look at event time',
    startToCloseTimeout: 10_000,
    retry: { maximumAttempts: 3 },
  });
  settles[0]!.reject(new Error('no bridge'));
  await soon();
  assert.deepEqual([watch.running, reports], [false, [null]]);
});

test('a wait that is cancelled reports nothing, a look goes on', async () => {
  const { watch, calls, settles, reports } = given();
  watch.cancelWait();
  watch.start({}, 5);
  watch.cancelWait();
  assert.deepEqual([watch.running, calls[0]!.cancelled], [false, true]);
  settles[0]!.resolve(1);
  await soon();
  assert.deepEqual(reports, []);
  watch.start({});
  watch.cancelWait();
  assert.deepEqual([watch.running, calls[1]!.cancelled], [true, false]);
  settles[1]!.resolve(2);
  await soon();
  assert.deepEqual(reports, [2]);
});

test('a wait that is over cannot be cancelled', async () => {
  const { watch, settles, calls } = given();
  watch.start({}, 5);
  settles[0]!.resolve(6);
  await soon();
  watch.cancelWait();
  assert.deepEqual([watch.running, calls[0]!.cancelled], [false, false]);
});
