/** Histories that releases recorded are followed by today's workflow: it asks for what was recorded, and carries what was carried. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import proto from '@temporalio/proto';
import { decoderFor } from '../../../src/engine/temporal/decode-payloads.ts';
import { dataConverter } from '../../../src/engine/temporal/payload-codec.ts';
import { runEntity } from '../../../src/engine/workflow/entity/run-entity.ts';
import { foldRuns } from '../../../src/tools/explain/fold.ts';
import type { Happening } from '../../../src/tools/explain/happening.ts';
import type { RecordedRun } from '../../../src/tools/explain/recorded.ts';
import { recordedRun } from '../../../src/tools/explain/recorded-run.ts';
import { ReplayedRun } from '../../../src/tools/explain/replayed-run.ts';
import type { Life, Start } from '../../../workflows/life.ts';
import { userEntity } from '../../../workflows/user-entity.ts';
import { namesOf, readBytes, readJson, versions } from '../../evolution/fixtures.ts';
import { short } from '../../money/domain/given.ts';
import { TOPICS } from './given.ts';

const { History } = proto.temporal.api.history.v1;

function runsOf(version: string): Promise<RecordedRun[]> {
  const names = namesOf(version, 'histories').filter((name) => name !== 'expected');
  return Promise.all(
    names.map((runId) => {
      const history = History.decode(readBytes(version, `histories/${runId}.history`));
      const { workflowId } = history.events[0]!.workflowExecutionStartedEventAttributes!;
      return recordedRun({ workflowId: workflowId!, runId, history }, decoderFor(dataConverter.payloadCodecs!));
    }),
  );
}

type Asked = readonly [activityId: string, name: string, request: unknown];

async function replayed(run: RecordedRun) {
  const asked: Asked[] = [];
  const listener = {
    called: (...call: Asked) => void asked.push(call),
    waits: () => undefined,
    recorded: () => undefined,
    reached: () => undefined,
  };
  const replay = new ReplayedRun(run, (port, start) => runEntity(port, userEntity, start), listener);
  return { difference: await replay.run(), asked, carried: replay.carried };
}

/** Releases before 0.3.0 did not say these. */
function asOf({ run: _, signals: __, ...request }: Record<string, unknown>): object {
  return request;
}

for (const version of versions()) {
  describe(`the histories of ${version}`, () => {
    it('are followed to their ends, with the recorded activities and their inputs', async () => {
      for (const run of await runsOf(version)) {
        const { difference, asked } = await replayed(run);
        assert.equal(difference, undefined);
        const inputs = new Map(asked.map(([activityId, ...rest]) => [activityId, rest]));
        for (const event of run.events) {
          if (event.type !== 'scheduled') continue;
          const [name, request] = inputs.get(event.activityId)!;
          assert.equal(name, event.name);
          const recorded = event.request as Record<string, unknown>;
          const now = JSON.stringify(asOf(JSON.parse(JSON.stringify(request)) as Record<string, unknown>));
          // `readWatermark` did not say the user.
          if (name === 'readWatermark') assert.deepEqual({ ...JSON.parse(now), userId: 0 }, { ...recorded, userId: 0 });
          else assert.equal(now, JSON.stringify(asOf(recorded)));
        }
      }
    });

    it('carry what was carried', async () => {
      const runs = await runsOf(version);
      for (const [index, next] of runs.slice(1).entries()) {
        const { life } = (await replayed(runs[index]!)).carried as Required<Start>;
        // 0.1.0 did not count money by currency.
        assert.deepEqual(comparable(life, version), comparable(next.start.life!, version));
      }
    });

    it('tell what came out, as expected then', async () => {
      const told: Happening[] = [];
      await foldRuns(await runsOf(version), TOPICS, (happening) => told.push(happening));
      const expected = readJson<{ applied: string[]; resolved: string[] }>(version, 'histories/expected.json');
      const outputs = told.flatMap((one) => (one.type === 'money' && one.output ? [short(one.output)] : []));
      assert.deepEqual(outputs, expected.applied);
      const resolved = told.flatMap((one) =>
        one.type === 'released' && one.output
          ? [short(one.output)]
          : one.type === 'lookup-ended'
            ? one.answers.map(({ output }) => short(output!))
            : [],
      );
      assert.deepEqual(resolved.sort(), expected.resolved);
      const published = told.flatMap((one) => (one.type === 'published' ? one.of : []));
      assert.equal(published.length, expected.applied.length + expected.resolved.length);
    });
  });
}

function comparable(life: Life, version: string): unknown {
  const { runs: _, ...rest } = JSON.parse(JSON.stringify(life)) as Life;
  return version === '0.1.0'
    ? { ...rest, user: { ...rest.user, counters: { ...rest.user.counters, moneyByCurrency: {} } } }
    : rest;
}
