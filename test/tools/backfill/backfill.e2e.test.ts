import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { createKafka } from '../../../src/engine/kafka/kafkajs/create-kafka.ts';
import { trafficOptions } from '../../../src/tools/generate/options.ts';
import { generateTraffic } from '../../../src/tools/generate/traffic.ts';
import { startStandInSessionService } from '../../../src/dev/session-service.ts';
import { silentLogger } from '../../../src/engine/log.ts';
import { program } from '../../cli/program.ts';
import type { ModelResult } from '../../../src/money/model/model.ts';
import { eventually } from '../../support/eventually.ts';
import { PROGRAM } from '../../support/product.ts';
import { sized } from '../../support/size.ts';
import { startSystem, type System } from '../../support/system.ts';
import { readTopics, type SeenRecord } from '../../support/topic-reader.ts';

const traffic = (events: number, seed: number) =>
  generateTraffic(
    trafficOptions({
      users: 60,
      events,
      seed,
      start: Date.now() - 7 * 86_400_000,
      disorder: 15_000,
      duplicates: 0.05,
      old: 0.02,
      pending: 0.04,
      late: 0.02,
      expiredSessions: 0.02,
      malformed: 0.02,
      tooLarge: false,
    }),
  );

/** Sorted; a record that is there twice is there twice. */
const linesOf = (records: readonly Pick<SeenRecord, 'key' | 'value' | 'headers'>[]) =>
  records
    .map(
      ({ key, value, headers: h }) =>
        `${h['source-partition']}/${h['source-offset']} ${String(key)} ${String(value)} ${h['enrichment'] ?? ''}`,
    )
    .sort();
const expectedLines = ({ outputs }: ModelResult) =>
  outputs
    .map(
      ({ partition, offset, key, value, incomplete }) =>
        `${partition}/${offset} ${key} ${value} ${incomplete ? 'incomplete' : ''}`,
    )
    .sort();

async function topicReader(t: TestContext, system: System, topic: string): Promise<readonly SeenRecord[]> {
  const reader = await readTopics(system.config.kafka!, [topic]);
  t.after(() => reader.close());
  return reader.records;
}

/** All of a topic that is not written any more. */
async function contentOf(
  t: TestContext,
  system: System,
  topic: string,
  atLeast: number,
): Promise<readonly SeenRecord[]> {
  const reader = await readTopics(system.config.kafka!, [topic]);
  t.after(() => reader.close());
  const port = createKafka(system.config.kafka!, silentLogger());
  try {
    const [count] = await port.partitionCounts([topic]);
    const ends = await port.endOffsets(Array.from({ length: count! }, (_, partition) => ({ topic, partition })));
    await eventually(`${topic} is read`, () => reader.records.length >= atLeast, 30_000).catch(() => undefined);
    const last = new Map(reader.records.map(({ partition, offset }) => [partition, offset]));
    for (const { partition, end } of ends) {
      assert.ok(end === 0 || last.has(partition), `partition ${partition} is read`);
    }
  } finally {
    await port.close();
  }
  return reader.records;
}

function childrenOf(pid: number): number[] {
  const own = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter((text) => text !== '')
    .map(Number);
  return own.flatMap((child) => [child, ...childrenOf(child)]);
}

test(
  'two processes write what the model says; compare finds it equal to a live run, and finds one changed record',
  { timeout: 300_000 },
  async (t) => {
    const system = await startSystem(t, { partitions: 3, env: { ENRICHMENT_PENDING_TIMEOUT: '40s' } });
    await system.produce(traffic(3_000, 11));
    const expected = await system.expected({ pendingAtEnd: 'lookup' });
    const name = system.config.topics.output;
    const [copy, changed] = [`${name}-again`, `${name}-changed`];

    const refused = await program(['backfill', '--output-topic', name], system.env);
    assert.equal(refused.code, 2, refused.stderr);
    assert.match(refused.stderr, /--output-topic .*: this is the topic of the live output/);

    const run = await program(['backfill', '--output-topic', copy, '--processes', '2', '--json'], system.env);
    assert.equal(run.code, 0, run.stderr);
    const summary = JSON.parse(run.stdout) as Record<string, number>;
    assert.equal(summary['written'], expected.outputs.length);
    assert.equal(summary['duplicates'], expected.duplicates.length);
    assert.equal(summary['deadLetters'], expected.deadLetters.length);
    assert.deepEqual(linesOf(await contentOf(t, system, copy, expected.outputs.length)), expectedLines(expected));
    assert.equal(system.outputs.length, 0, 'nothing was written to the live output');
    assert.equal(system.deadLetters.length, 0, 'nor to the dead letters');

    const again = await program(['backfill', '--output-topic', copy], system.env);
    assert.equal(again.code, 0, again.stderr);
    assert.equal((await contentOf(t, system, copy, expected.outputs.length)).length, expected.outputs.length);
    const other = await program(['backfill', '--output-topic', copy, '--from', '2020-01-01T00:00:00Z'], system.env);
    assert.equal(other.code, 2, other.stderr);
    assert.match(other.stderr, /use the same, or another --output-topic/);

    const times = expected.outputs
      .map(({ value }) => (JSON.parse(value) as { money: { processedAt: string } }).money.processedAt)
      .sort();
    const [from, to] = [times[Math.floor(times.length / 3)]!, times[Math.floor((2 * times.length) / 3)]!];
    const part = await program(
      ['backfill', '--output-topic', `${name}-part`, '--from', from, '--to', to, '--processes', '1'],
      system.env,
    );
    assert.equal(part.code, 0, part.stderr);
    const within = {
      ...expected,
      outputs: expected.outputs.filter(
        ({ value }) =>
          /"processedAt":"([^"]+)"/.exec(value)![1]! >= from && /"processedAt":"([^"]+)"/.exec(value)![1]! < to,
      ),
    };
    assert.deepEqual(linesOf(await contentOf(t, system, `${name}-part`, within.outputs.length)), expectedLines(within));

    // One record with another amount, one left out, one twice.
    const port = createKafka(system.config.kafka!, silentLogger());
    t.after(() => port.close());
    const source = await contentOf(t, system, copy, expected.outputs.length);
    const shards = system.config.topics;
    assert.ok(shards.output !== changed);
    await program(
      ['backfill', '--output-topic', changed, '--from', '9000-01-01T00:00:00Z', '--processes', '1'],
      system.env,
    );
    const producer = await port.fence(`${system.config.appId}-copy`);
    const transaction = await producer.begin();
    const rows = source.map(({ key, value, headers }, index) => ({
      key,
      headers,
      value: index === 7 ? Buffer.from(String(value).replace(/"amount":/, '"amount":1')) : value,
    }));
    for (const partition of [0, 1, 2]) {
      await transaction.send(
        changed,
        partition,
        rows.filter((_, index) => index !== 8 && index % 3 === partition),
      );
    }
    await transaction.send(changed, 0, [rows[9]!]);
    await transaction.commit();
    await producer.close();
    const found = await program(['compare', copy, changed], system.env);
    assert.equal(found.code, 1, found.stderr);
    assert.match(
      found.stdout,
      new RegExp(`^not equal: 1 different, 1 only in ${copy}, 1 once more in ${changed} `, 'm'),
    );
    assert.match(found.stdout, /^different {2}key "[0-9a-f-]{36}", money record \d+\/\d+$/m);

    await Promise.all([system.start('worker'), system.start('bridge')]);
    await eventually('the live run is through', () => system.outputs.length >= expected.outputs.length, 150_000);
    const live = await program(['compare', name, copy], system.env);
    assert.equal(live.code, 0, live.stdout + live.stderr);
    assert.match(
      live.stdout,
      new RegExp(`^equal: ${expected.outputs.length.toLocaleString('en')} records in each of `),
    );
  },
);

test(
  'killed in the middle and run again: nothing is missing and nothing is there twice',
  { timeout: 300_000 },
  async (t) => {
    const system = await startSystem(t, { partitions: 4 });
    await system.produce(traffic(sized(8_000, 20_000), 12));
    const expected = await system.expected({ pendingAtEnd: 'lookup' });
    const topic = `${system.config.topics.output}-killed`;
    const slow = await startStandInSessionService({ country: 'UY', delayMs: 400 });
    t.after(() => slow.stop());
    const env = { ...system.env, ENRICHMENT_SESSION_SERVICE_URL: slow.url };

    const first = spawn(process.execPath, [PROGRAM, 'backfill', '--output-topic', topic, '--processes', '2'], {
      env: { PATH: process.env['PATH'], ...env },
      stdio: 'ignore',
      cwd: '/',
    });
    const gone = new Promise((resolve) => first.once('exit', resolve));
    const port = createKafka(system.config.kafka!, silentLogger());
    t.after(() => port.close());
    await eventually('the topic exists', async () => (await port.partitionCounts([topic]))[0] === 4, 60_000);
    const seen = await topicReader(t, system, topic);
    await eventually('some of it is written', () => seen.length > 500, 60_000);
    for (const pid of [...childrenOf(first.pid!), first.pid!]) process.kill(pid, 'SIGKILL');
    await gone;
    const before = seen.length;
    assert.ok(before < expected.outputs.length, `killed in the middle: ${before} of ${expected.outputs.length}`);

    const second = await program(['backfill', '--output-topic', topic, '--processes', '2'], system.env);
    assert.equal(second.code, 0, second.stderr);
    assert.deepEqual(linesOf(await contentOf(t, system, topic, expected.outputs.length)), expectedLines(expected));
  },
);
