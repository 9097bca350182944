/**
 * `node --import tsx test/evolution/write.ts VERSION`: writes the fixtures of a release with the code of the release, once.
 * States, signals and ledger entries as they are stored, the histories of a user who continued as new, and what was
 * published. They are never written again: later code has to go on with them.
 */
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import proto from '@temporalio/proto';
import { dataConverter } from '../../src/engine/temporal/payload-codec.ts';
import { encodeLedgerEntry } from '../../src/engine/publish/ledger-entry.ts';
import { stored } from '../../src/engine/workflow/mark.ts';
import { birthYear, money, session, T0 } from '../money/domain/given.ts';
import { WorkflowUser } from '../workflows/harness.ts';
import { Writer } from './fixtures.ts';
import { LEDGER, SIGNALS, STATES } from './scenario.ts';

const { History } = proto.temporal.api.history.v1;
/** Of one run, see src/engine/workflow/entity/run-entity.ts. */
const RUN_SIGNALS = 100;

async function encoded(type: 'Start' | 'EventBatch', value: object): Promise<Payload> {
  let payloads = [defaultPayloadConverter.toPayload(stored(type, value))!];
  for (const codec of dataConverter.payloadCodecs!) payloads = await codec.encode(payloads);
  return payloads[0]!;
}

async function writeHistories(t: TestContext, writer: Writer): Promise<void> {
  const user = await WorkflowUser.create(t, { server: 'dev' });
  user.fake.onLookup = async ({ sessionIds }) => {
    // Some are answered in the next run only.
    await pause(500);
    return sessionIds.map((sessionId) => ({ sessionId, status: 'found', clientCountryCode: 'NO' }));
  };
  await user.signal([
    birthYear(0, '1990', T0),
    session(0, 's1', T0, 'SE'),
    money(0, { id: 'a', ts: T0, session: 's1' }),
    money(1, { id: 'b', ts: T0, session: 's2' }),
  ]);
  await user.signal([money(2, { id: 'c', ts: T0 + 1, session: 's3', old: true }), session(1, 's2', T0 + 2, 'DE')]);
  const first = await user.runId();
  for (let n = 0; n < RUN_SIGNALS; n += 1) await user.signal([money(3 + n, { id: `m${n}`, ts: T0 + 3 + n })]);
  while ((await user.runId()) === first) await pause(100);
  await user.signal([money(200, { id: 'z', ts: T0 + 500, session: 's9' })]);
  const expected = {
    applied: ['a =SE 1990/- first', ...Array.from({ length: RUN_SIGNALS }, (_, n) => `m${n} 1990/-`)],
    resolved: ['b =DE 1990/-', 'c =NO 1990/-'],
  };
  while (
    user.fake.outputs('applied').length < expected.applied.length ||
    user.fake.outputs('resolved').length < expected.resolved.length
  ) {
    await pause(100);
  }
  assert.deepEqual(user.fake.outputs('applied'), expected.applied);
  assert.deepEqual([...user.fake.outputs('resolved')].sort(), expected.resolved);
  await pause(1_000);
  writer.json('histories/expected.json', expected);
  for (const [index, history] of (await user.histories()).entries()) {
    writer.bytes(`histories/run-${index + 1}.history`, History.encode(history).finish());
  }
}

const [version] = process.argv.slice(2);
if (version === undefined || !/^\d+\.\d+\.\d+$/.test(version)) {
  throw new Error('usage: node --import tsx test/evolution/write.ts VERSION');
}
// As a test, so that its server and worker end with it.
test(`fixtures of ${version}`, { timeout: 120_000 }, (t) => write(t, new Writer(version)));

async function write(t: TestContext, writer: Writer): Promise<void> {
  for (const [name, { start, ...next }] of Object.entries(STATES)) {
    writer.payload(`states/${name}.payload`, await encoded('Start', start));
    // Plain, for what must come back; of the largest one this would be too much, and its next batch tells.
    writer.json(`states/${name}.json`, { start: name === 'largest' ? null : start, ...next });
  }
  for (const [name, batch] of Object.entries(SIGNALS)) {
    writer.payload(`signals/${name}.payload`, await encoded('EventBatch', batch));
    writer.json(`signals/${name}.json`, batch);
  }
  for (const [name, entry] of Object.entries(LEDGER)) {
    writer.bytes(`ledger/${name}.avro`, encodeLedgerEntry(entry));
    writer.json(`ledger/${name}.json`, entry);
  }
  await writeHistories(t, writer);
  writer.manifest();
}
