import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createReadStream } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import avsc from 'avsc';
import { trafficOptions } from '../../../src/tools/generate/options.ts';
import { generateTraffic } from '../../../src/tools/generate/traffic.ts';
import type { Snapshot } from '../../../workflows/life.ts';
import { program } from '../../cli/program.ts';
import { eventually } from '../../support/eventually.ts';
import { startSystem } from '../../support/system.ts';

const USERS = 20;

function byUser(lines: string): Map<string, Snapshot> {
  return new Map(
    lines
      .trim()
      .split('\n')
      .map((line) => {
        const snapshot = JSON.parse(line) as Snapshot;
        return [snapshot.userId, snapshot];
      }),
  );
}

test(
  'running workflows and recorded histories give the same state of every user, as JSON and as Avro',
  { timeout: 180_000 },
  async (t) => {
    const system = await startSystem(t, { partitions: 2 });
    await system.produce(
      generateTraffic(
        trafficOptions({ users: USERS, events: 1_000, seed: 6, start: Date.now() - 86_400_000, tooLarge: false }),
      ),
    );
    const { outputs } = await system.expected();
    const worker = await system.start('worker');
    await system.start('bridge');
    await eventually('the outputs', () => system.outputs.length >= outputs.length, 90_000);
    const folder = await mkdtemp(join(tmpdir(), 'export-'));
    t.after(() => rm(folder, { recursive: true, force: true }));

    let live = await program(['export'], system.env);
    // Visibility comes a little later, and so may events that make no output.
    await eventually(
      'all users are listed and stay as they are',
      async () => {
        const before = byUser(live.stdout);
        live = await program(['export'], system.env);
        return before.size === USERS && isDeepStrictEqual(before, byUser(live.stdout));
      },
      60_000,
    );
    assert.equal(live.code, 0, live.stderr);
    assert.match(live.stderr, /^20 users exported$/m);
    const states = byUser(live.stdout);
    for (const [userId, { life }] of states) {
      const own = outputs.filter(({ key }) => key === JSON.stringify(userId));
      assert.ok(own.length > 0, userId);
      assert.equal(life.published.applied + life.published.resolved, own.length, userId);
      assert.equal(life.user.counters.moneyApplied, own.length, userId);
      assert.deepEqual(
        new Set(life.user.moneyTypes),
        new Set(own.map(({ value }) => (JSON.parse(value) as { money: { moneyType: string } }).money.moneyType)),
        userId,
      );
    }

    await worker.stop();
    const file = join(folder, 'state.avro');
    const offline = await program(['export', '--offline'], system.env);
    assert.equal(offline.code, 0, offline.stderr);
    assert.deepEqual(byUser(offline.stdout), states);
    const avro = await program(['export', '--offline', '--format', 'avro', '--out', file], system.env);
    assert.equal(avro.code, 0, avro.stderr);
    assert.equal(avro.stdout, '');
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    const decoded: { userId: string }[] = [];
    for await (const value of createReadStream(file).pipe(new avsc.streams.BlockDecoder())) {
      decoded.push(value as { userId: string });
    }
    assert.deepEqual(new Set(decoded.map(({ userId }) => userId)), new Set(states.keys()));

    // Nobody answers a query any more: every user is told of, and the way out.
    const nobody = await program(['export', '--concurrency', '20', '--out', join(folder, 'none.ndjson')], system.env);
    assert.equal(nobody.code, 1);
    assert.match(nobody.stderr, /--offline|start one with/);
    await assert.rejects(readFile(join(folder, 'none.ndjson')), { code: 'ENOENT' });
  },
);
