import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keepRunning } from '../../src/engine/process/keep-running.ts';
import { createLogger } from '../../src/engine/log.ts';
import { Part } from '../../src/engine/process/dependencies.ts';
import { within } from '../../src/engine/temporal/connection.ts';
import { createCommittedWatermark } from '../../src/engine/worker/committed-watermark.ts';
import { ShardsWorker } from '../../src/engine/worker/shards-worker.ts';
import { ManualClock } from '../support/manual-clock.ts';

const DAY = 86_400_000;
const logger = createLogger({ level: 'silent' });
const settled = () => new Promise((resolve) => setImmediate(resolve));

for (const [way, step] of [
  ['forward', DAY],
  ['back', -DAY],
] as const) {
  test(`a wall clock that is set ${way} by a day changes nothing of how long a part has failed`, () => {
    const clock = new ManualClock();
    const part = new Part(clock);
    part.failed('refused');
    clock.advance(6_000);
    clock.step(step);
    part.failed('refused');
    assert.equal(part.problem, 'refused, for 6 s');
  });

  test(`a wall clock that is set ${way} by a day: the watermark that was asked for is used for a second, no more`, async () => {
    const clock = new ManualClock();
    let asked = 0;
    const committedOffsets = async () => {
      asked += 1;
      return [];
    };
    const watermark = createCommittedWatermark(
      { committedOffsets },
      clock,
      'group',
      ['user', 'session', 'money'],
      String,
    );
    await watermark(0);
    clock.step(step);
    clock.advance(999);
    await watermark(0);
    assert.equal(asked, 1);
    clock.advance(1);
    await watermark(0);
    assert.equal(asked, 2);
  });

  test(`a wall clock that is set ${way} by a day makes no attempt a steady one: the pauses between attempts go on growing`, async () => {
    const clock = new ManualClock();
    const stopping = new AbortController();
    const pauses: number[] = [];
    await keepRunning({
      clock: {
        now: () => clock.now(),
        elapsed: () => clock.elapsed(),
        sleep: async (ms) => void (pauses.push(ms) === 4 && stopping.abort()),
      },
      logger,
      stopping: stopping.signal,
      attempt: async () => {
        clock.step(step);
        throw new Error('no');
      },
      onProblem: () => undefined,
      message: 'again',
    });
    assert.deepEqual(pauses, [500, 1_000, 2_000, 4_000]);
  });

  test(`a wall clock that is set ${way} by a day does not make a worker that is starting a stuck one, nor a stuck one a live one`, async () => {
    const clock = new ManualClock();
    const worker = new ShardsWorker({
      clock,
      logger,
      createOwnership: ({ onTaken }) =>
        ({ start: async () => onTaken(3, {} as never), stop: async () => undefined }) as never,
      startShardWorker: () => new Promise(() => undefined),
    });
    void worker.run();
    await settled();
    clock.step(step);
    assert.equal(worker.notLive, undefined);
    clock.advance(61_000);
    assert.equal(worker.notLive, 'starting the worker of shard 3 has not ended in 61 s');
  });
}

test('a request to Temporal that is repeated after the wall clock was set back ends when its time has passed', async () => {
  const hangs = { withDeadline: <T>(_deadline: number | Date, run: () => Promise<T>) => run() };
  await assert.rejects(
    within(1, hangs, () => new Promise(() => undefined)),
    { code: 'UNREACHABLE', message: 'Temporal gave no answer within 0.501 s' },
  );
});
