/**
 * After Flink's method: what every release wrote is read by today's code, goes on with its next batch, and gives what it has
 * to give. The fixtures of a release are never changed; new fields of the state have their defaults.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { defaultPayloadConverter } from '@temporalio/common';
import { applyBatch } from '../../src/money/domain/apply.ts';
import type { LedgerEntry } from '../../src/engine/workflow/ledger-types.ts';
import type { EventBatch, Start } from '../../src/money/domain/types.ts';
import { dataConverter } from '../../src/engine/temporal/payload-codec.ts';
import { decodeLedgerEntry } from '../../src/engine/publish/ledger-entry.ts';
import { fingerprintsOf, ledgerFormat, stateFormat, StoredFormat } from '../../src/engine/stored/format.ts';
import {
  olderSchemas,
  releasedSchemas,
  todaysSchemas,
  unreleasedSchemas,
  type FieldSchema,
  type RecordSchema,
  type SchemaFile,
} from '../../src/engine/stored/schema.ts';
import { verdictOf } from '../../src/engine/stored/compatibility.ts';
import { newLife } from '../../workflows/life.ts';
import { short } from '../money/domain/given.ts';
import { changedFiles, namesOf, readBytes, readJson, readPayload, versions } from './fixtures.ts';
import { STATES, type StateFixture } from './scenario.ts';

/** The value of a payload as a worker gets it. */
async function decoded<T>(version: string, file: string): Promise<T> {
  let payloads = [readPayload(version, file)];
  for (const codec of dataConverter.payloadCodecs!.toReversed()) payloads = await codec.decode(payloads);
  return defaultPayloadConverter.fromPayload<T>(payloads[0]!);
}

/** Everything that the older value has is in the newer one as it was. */
function holds(actual: unknown, expected: unknown, place: string): void {
  if (typeof expected !== 'object' || expected === null) return assert.equal(actual, expected, place);
  assert.ok(typeof actual === 'object' && actual !== null, place);
  if (Array.isArray(expected)) assert.equal((actual as unknown[]).length, expected.length, place);
  for (const [name, value] of Object.entries(expected)) {
    holds((actual as Record<string, unknown>)[name], value, `${place}.${name}`);
  }
}

it('every release of the schemas has fixtures, and the other way round', () => {
  assert.ok(versions().length > 0);
  assert.deepEqual(
    versions(),
    releasedSchemas().map(({ version }) => version),
  );
});

describe('what was written between releases', () => {
  const older = unreleasedSchemas();

  it("is read: today's schemas are among those that later versions know", () => {
    const known = olderSchemas().map((file) => Object.fromEntries(fingerprintsOf(file)));
    const today = Object.fromEntries(fingerprintsOf(todaysSchemas()));
    assert.ok(
      known.some((file) => isDeepStrictEqual(file, today)),
      'npm run schemas:keep',
    );
  });

  for (const file of older) {
    it(`${file.version}: the ledger and a start are read as today's`, () => {
      const writer = new StoredFormat(file, []);
      const incarnation = { startedAt: 1, runId: 'r' };
      const entry = { incarnation, applied: { seq: 7, partition: 2, offset: 40 } };
      assert.deepEqual(stateFormat().decode(writer.encode('LedgerEntry', entry)), {
        name: 'LedgerEntry',
        value: entry,
      });
      assert.deepEqual(ledgerFormat().decode(writer.encode('LedgerEntry', entry)), {
        name: 'LedgerEntry',
        value: entry,
      });
      const start = { userId: '3600b37d-ac23-4609-a9a2-2ce665d70a54' };
      assert.deepEqual(stateFormat().decode(writer.encode('Start', start)), { name: 'Start', value: start });
      assert.deepEqual(verdictOf(file, todaysSchemas()).refused, []);
    });
  }
});

for (const version of versions()) {
  describe(`what ${version} wrote`, () => {
    it('is as it was written', () => assert.deepEqual(changedFiles(version), []));

    it("has schemas that today's do not refuse", () => {
      const released = releasedSchemas().find((file) => file.version === version)!;
      const { roots, refused } = verdictOf(released, todaysSchemas());
      assert.deepEqual(refused, []);
      assert.ok(roots.every(({ compatibility }) => compatibility !== 'refused'));
    });

    it('has the types of the ledger in a file of their own', () => {
      const folder = new URL(`../../schemas/released/${version}/`, import.meta.url);
      const [ledger, state] = ['ledger.avsc', 'state.avsc'].map(
        (file) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as RecordSchema[],
      );
      const names = ledger!.map(({ name }) => name);
      assert.ok(names.includes('LedgerEntry'));
      // From 0.3.0 on a type stands in one of the files.
      const again = state!.filter(({ name }) => names.includes(name));
      if (version === '0.1.0' || version === '0.2.0') assert.deepEqual(again, ledger);
      else assert.deepEqual(again, []);
    });

    for (const name of namesOf(version, 'states')) {
      it(`is a state that goes on: ${name}`, async () => {
        const {
          start: expected,
          next,
          applied,
          resolved,
          lookups,
        } = readJson<Omit<StateFixture, 'start'> & { start: Start | null }>(version, `states/${name}.json`);
        const { userId, life = newLife({ startedAt: 1, runId: 'r' }) } = await decoded<Start>(
          version,
          `states/${name}.payload`,
        );
        if (expected !== null) holds({ userId, ...(expected.life && { life }) }, expected, name);
        const effects = applyBatch(life.user, next, { userId, now: next.records[0]?.ts ?? 0 });
        assert.deepEqual([effects.applied.map(short), effects.resolved.map(short)], [applied, resolved]);
        assert.deepEqual(
          life.user.lookups.map(({ money }) => money.id),
          lookups,
        );
      });
    }

    for (const name of namesOf(version, 'signals')) {
      it(`is a signal: ${name}`, async () => {
        holds(
          await decoded<EventBatch>(version, `signals/${name}.payload`),
          readJson(version, `signals/${name}.json`),
          name,
        );
      });
    }

    for (const name of namesOf(version, 'ledger')) {
      it(`is an entry of the ledger: ${name}`, () => {
        holds(
          decodeLedgerEntry(readBytes(version, `ledger/${name}.avro`), 'here'),
          readJson<LedgerEntry>(version, `ledger/${name}.json`),
          name,
        );
      });
    }

    it('has states of every kind', () => {
      assert.deepEqual(
        ['empty', 'full', 'largest', 'lookups', 'new', 'pending', 'unpublished'].filter(
          (name) => !namesOf(version, 'states').includes(name),
        ),
        [],
      );
    });
  });
}

describe('negative controls: the machinery can fail', () => {
  const today = todaysSchemas();
  const BAD: readonly (readonly [string, SchemaFile])[] = [
    [
      'a new field without a default',
      changed(today, 'UserState', (fields) => [...fields, { name: 'level', type: 'long' }]),
    ],
    [
      'a renamed field',
      changed(today, 'Session', (fields) =>
        fields.map((field) => (field.name === 'ts' ? { ...field, name: 'at', default: 0 } : field)),
      ),
    ],
    [
      'another type',
      changed(today, 'Change', (fields) =>
        fields.map((field) => (field.name === 'ts' ? { ...field, type: 'string' } : field)),
      ),
    ],
  ];
  for (const [what, schemas] of BAD) {
    it(`refuses ${what}, for every release`, () => {
      for (const released of releasedSchemas()) {
        assert.ok(verdictOf(released, schemas).refused.length > 0, released.version);
      }
    });
  }

  it('does not read a state with the schema of something else', () => {
    const format = new StoredFormat(
      { ...today, records: today.records.filter(({ name }) => name !== 'LedgerEntry') },
      [],
    );
    for (const version of versions()) {
      assert.throws(() => format.decode(readBytes(version, 'ledger/both.avro')), /newer version wrote it/);
    }
  });

  it('notices another output', () => {
    const { start, next, applied } = STATES['full']!;
    const life = structuredClone(start.life!);
    delete life.user.sessions['s1'];
    assert.notDeepEqual(applyBatch(life.user, next, { userId: start.userId, now: 0 }).applied.map(short), applied);
  });
});

function changed(
  file: SchemaFile,
  name: string,
  change: (fields: readonly FieldSchema[]) => FieldSchema[],
): SchemaFile {
  return {
    ...file,
    records: file.records.map((record): RecordSchema =>
      record.name === name ? { ...record, fields: change(record.fields) } : record,
    ),
  };
}
