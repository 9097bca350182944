import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { trafficOptions } from '../../../src/tools/generate/options.ts';
import { generateTraffic } from '../../../src/tools/generate/traffic.ts';
import { connectTemporal } from '../../../src/engine/temporal/connection.ts';
import { NO_ENCRYPTION } from '../../../src/engine/temporal/key-provider.ts';
import { program } from '../../cli/program.ts';
import { eventually } from '../../support/eventually.ts';
import { PROGRAM } from '../../support/product.ts';
import { startSystem } from '../../support/system.ts';

const traffic = (seed: number) => [
  ...generateTraffic(
    trafficOptions({
      users: 30,
      events: 1_600,
      seed,
      span: 3_600_000,
      start: Date.now() - 86_400_000,
      tooLarge: false,
    }),
  ),
];

test(
  'with --publish, history and what comes after it come out as if live had run from the beginning, though it was killed',
  { timeout: 240_000 },
  async (t) => {
    const system = await startSystem(t, { partitions: 2 });
    const records = traffic(11);
    await system.produce(records.slice(0, 1_000));

    const dry = await program(['bootstrap', '--dry-run', '--publish', '--json'], system.env);
    assert.equal(dry.code, 0, dry.stderr);
    const counted = JSON.parse(dry.stdout) as { users: number; read: number; started: number };
    assert.equal(counted.started, 0);

    // So slow that the kill comes between the first workflow of the first partition and its last, on any machine.
    const child = spawn(process.execPath, [PROGRAM, 'bootstrap', '--publish', '--rate', '1'], {
      env: { PATH: process.env['PATH'], HOME: '/nonexistent', ...system.env },
      stdio: 'ignore',
    });
    const { client, connection } = await connectTemporal(system.env, NO_ENCRYPTION);
    t.after(() => connection.close());
    await eventually(
      'some workflows run',
      async () => (await client.workflow.count(`WorkflowId STARTS_WITH '${system.config.appId}/'`)).count >= 3,
      60_000,
    );
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    // What comes now is for the live bridge: the ends were fixed.
    await system.produce(records.slice(1_000, 1_200));
    const resumed = await program(['bootstrap', '--publish', '--json'], system.env);
    assert.equal(resumed.code, 0, resumed.stderr);
    const summary = JSON.parse(resumed.stdout) as { users: number; started: number; there: number; read: number };
    assert.ok(summary.there >= 3, `${summary.there} had been started`);
    assert.equal(summary.started + summary.there, counted.users);
    assert.equal(summary.read, counted.read);
    const again = await program(['bootstrap', '--publish'], system.env);
    assert.equal(again.code, 0, again.stderr);
    assert.match(again.stdout, /nothing to do/);

    await Promise.all([system.start('worker'), system.start('bridge')]);
    await system.produce(records.slice(1_200));
    await system.matches(await system.expected());
  },
);

test(
  'without --publish, only what the history left open and what comes after it comes out',
  { timeout: 240_000 },
  async (t) => {
    const system = await startSystem(t, { partitions: 2 });
    const records = traffic(12);
    await system.produce(records.slice(0, 1_000));
    const before = await system.expected({ pendingAtEnd: 'leave' });
    const done = await program(['bootstrap', '--json'], system.env);
    assert.equal(done.code, 0, done.stderr);
    await Promise.all([system.start('worker'), system.start('bridge')]);
    await system.produce(records.slice(1_000));
    const { outputs } = await system.expected();
    const history = new Set(before.outputs.map(({ partition, offset }) => `${partition}/${offset}`));
    const expected = new Map(outputs.map((output) => [`${output.partition}/${output.offset}`, output]));
    const later = [...expected.keys()].filter((place) => !history.has(place));
    const seen = () =>
      new Map(
        system.outputs.map(({ key, value, headers }) => [
          `${headers['source-partition']}/${headers['source-offset']}`,
          { key: String(key), value: String(value) },
        ]),
      );
    await eventually('what comes after the history', () => later.every((place) => seen().has(place)), 120_000);
    await sleep(2_000);
    for (const [place, { key, value }] of seen()) {
      assert.equal(key, expected.get(place)?.key, place);
      assert.equal(value, expected.get(place)?.value, place);
    }
    assert.equal(system.outputs.length, seen().size, 'nothing comes twice');
    // The watermark had not passed the newest records: those are applied by the live bridge.
    const decided = [...history].filter((place) => !seen().has(place));
    assert.ok(decided.length > history.size / 2, `${decided.length} of ${history.size} were decided by the history`);
  },
);

test(
  'a file of export makes the same workflows elsewhere; a bootstrap beside a live system is refused',
  { timeout: 240_000 },
  async (t) => {
    const system = await startSystem(t, { partitions: 2 });
    const records = traffic(13);
    const folder = await mkdtemp(join(tmpdir(), 'bootstrap-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    await system.produce(records.slice(0, 800));
    const { users } = JSON.parse((await program(['bootstrap', '--json'], system.env)).stdout) as { users: number };
    for (const format of ['json', 'avro']) {
      const file = join(folder, `state.${format}`);
      await eventually(
        'all users are listed',
        async () => {
          const { stderr } = await program(['export', '--offline', '--format', format, '--out', file], system.env);
          return stderr.includes(`${users} users exported`);
        },
        30_000,
      );
      const elsewhere = { ...system.env, ENRICHMENT_APP_ID: `${system.config.appId}-${format}` };
      const dry = await program(['bootstrap', '--from', file, '--dry-run', '--json'], elsewhere);
      assert.deepEqual(JSON.parse(dry.stdout), { dryRun: true, users, shards: 2 });
      const there = await program(['bootstrap', '--from', file, '--json'], elsewhere);
      assert.equal(there.code, 0, there.stderr);
      assert.deepEqual(JSON.parse(there.stdout), { started: users, there: 0 });
      const again = await program(['bootstrap', '--from', file, '--json'], elsewhere);
      assert.deepEqual(JSON.parse(again.stdout), { started: 0, there: users });
      const states = async (env: NodeJS.ProcessEnv) => {
        const { stdout } = await program(['export', '--offline'], env);
        const lines = stdout
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as { userId: string; life: { user: unknown; rules: unknown } });
        return new Map(lines.map(({ userId, life: { user, rules } }) => [userId, { user, rules }]));
      };
      await eventually('the copies are listed', async () => (await states(elsewhere)).size === users, 30_000);
      assert.deepEqual(await states(elsewhere), await states(system.env));
      const refused = await program(['bootstrap'], elsewhere);
      assert.equal(refused.code, 1);
      assert.match(refused.stderr, /runs already, and this bootstrap did not start it/);
    }
  },
);
