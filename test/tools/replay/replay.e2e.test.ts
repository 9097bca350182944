import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { test } from 'node:test';
import { trafficOptions } from '../../../src/tools/generate/options.ts';
import { generateTraffic } from '../../../src/tools/generate/traffic.ts';
import { temporalProgram } from '../../../src/dev/temporal-server.ts';
import { program } from '../../cli/program.ts';
import { eventually } from '../../support/eventually.ts';
import { startSystem } from '../../support/system.ts';

const USERS = 20;

test(
  'the histories of a live run replay: all, those of one user, saved ones, and one of the temporal command',
  { timeout: 180_000 },
  async (t) => {
    const system = await startSystem(t, { partitions: 2 });
    await system.produce(
      generateTraffic(
        trafficOptions({ users: USERS, events: 1_000, seed: 5, start: Date.now() - 86_400_000, tooLarge: false }),
      ),
    );
    const { outputs } = await system.expected();
    await Promise.all([system.start('worker'), system.start('bridge')]);
    await eventually('the outputs', () => system.outputs.length >= outputs.length, 90_000);
    const folder = await mkdtemp(join(tmpdir(), 'replay-'));
    t.after(() => rm(folder, { recursive: true, force: true }));

    let all: { code: number | null; stdout: string; stderr: string } | undefined;
    // Visibility comes a little later.
    await eventually(
      'all users are listed',
      async () => {
        all = await program(['replay', '--save', folder, '--json'], system.env);
        return (JSON.parse(all.stdout) as { replayed: number }).replayed === USERS;
      },
      30_000,
    );
    assert.equal(all!.code, 0, all!.stderr);
    assert.deepEqual((JSON.parse(all!.stdout) as { problems: unknown[] }).problems, []);

    const saved = (await readdir(folder)).map((name) => join(folder, name));
    const fromFiles = await program(['replay', '--file', ...saved]);
    assert.equal(fromFiles.code, 0, fromFiles.stderr + fromFiles.stdout);

    const userId = String(system.outputs[0]!.key).replaceAll('"', '');
    const one = await program(['replay', '--user', userId], system.env);
    assert.equal(one.code, 0, one.stderr + one.stdout);
    assert.match(one.stdout, /^1 history replayed/);
    const nobody = await program(['replay', '--user', '00000000-0000-4000-8000-000000000000'], system.env);
    assert.equal(nobody.code, 1);
    assert.match(nobody.stderr, /no workflow "/);

    const { stdout } = await promisify(execFile)(
      await temporalProgram({ log: () => undefined }),
      [
        'workflow',
        'show',
        '--address',
        system.env['TEMPORAL_ADDRESS']!,
        '--workflow-id',
        `${system.config.appId}/${userId}`,
        '--output',
        'json',
      ],
      { maxBuffer: 100_000_000 },
    );
    const shown = join(folder, 'shown.json');
    await writeFile(shown, stdout);
    const fromCli = await program(['replay', '--file', shown]);
    assert.equal(fromCli.code, 0, fromCli.stderr + fromCli.stdout);
  },
);
