/** The demo as people run it: the real program, its own Kafka and Temporal or configured ones, and Ctrl-C. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { sharedCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { PROGRAM } from '../support/product.ts';

const MARK = 'ENRICHMENT_TEST_MARK';

interface Demo {
  readonly pid: number;
  readonly mark: string;
  stdout(): string;
  stderr(): string;
  readonly ended: Promise<number | null>;
  interrupt(): void;
}

function demo(t: TestContext, args: readonly string[], env: Readonly<Record<string, string>> = {}): Demo {
  const mark = randomUUID();
  const own: NodeJS.ProcessEnv = { ...process.env };
  for (const name of ['KAFKA_BROKERS', 'TEMPORAL_ADDRESS']) delete own[name];
  const child = spawn(process.execPath, [PROGRAM, 'demo', ...args], {
    env: { ...own, ...env, [MARK]: mark },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (bytes: Buffer) => (output.stdout += bytes.toString()));
  child.stderr.on('data', (bytes: Buffer) => (output.stderr += bytes.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  t.after(() => void child.kill('SIGKILL'));
  return {
    pid: child.pid!,
    mark,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    ended,
    interrupt: () => void child.kill('SIGINT'),
  };
}

/** Processes that inherited the mark, and temporary folders of the demo. */
function leftovers({ pid, mark }: Demo): string[] {
  const folders = readdirSync(tmpdir()).filter((name) => name.startsWith(`money-enrichment-${pid}-`));
  if (!existsSync('/proc/self/environ')) return folders;
  const processes = readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/environ`, 'latin1').includes(`${MARK}=${mark}`);
    } catch {
      return false; // ended meanwhile, or another user's
    }
  });
  return [...folders, ...processes.map((name) => `process ${name}`)];
}

async function nothingLeft(run: Demo): Promise<void> {
  await eventually('nothing of the demo is left', () => leftovers(run).length === 0).catch(() =>
    assert.deepEqual(leftovers(run), []),
  );
}

test('the demo starts everything, kills the worker, and is right', { timeout: 300_000 }, async (t) => {
  const run = demo(t, ['--events', '500', '--users', '20', '--partitions', '2', '--seed', '3']);
  assert.equal(await run.ended, 0, `${run.stdout()}\n${run.stderr()}`);
  assert.match(run.stderr(), /The Temporal UI: http:\/\/127\.0\.0\.1:\d+\/namespaces\/default\/workflows/);
  assert.match(run.stderr(), /^in [\d,]+\/[\d,]+ .* enriched /m);
  assert.match(run.stderr(), /Killing the worker \(process \d+\) with SIGKILL/);
  const said = run.stdout();
  assert.match(said, /^The story of user [0-9a-f-]{36}$/m);
  assert.match(said, /-> duplicate, dropped/);
  assert.match(said, /-> enriched: user 1984 DE, client in BR \(waited for its session\), first of its type/);
  assert.match(said, /-> dead letter: invalid, currency/);
  assert.match(said, /0\.1234567890123456789012345678901234567890/);
  assert.match(said, / {2}right {2}the worker was killed with SIGKILL/);
  assert.match(said, /^RIGHT: every money event exactly once, every field right\.$/m);
  assert.doesNotMatch(said, /WRONG|\u001b/);
  await nothingLeft(run);
});

test(
  'the demo in Avro is right, and leaves the topics of a configured Kafka alone',
  { timeout: 300_000 },
  async (t) => {
    const { brokers, temporal } = await sharedCluster();
    const run = demo(t, ['--avro', '--events', '200', '--users', '10', '--no-kill'], {
      KAFKA_BROKERS: brokers.join(','),
      TEMPORAL_ADDRESS: temporal,
    });
    assert.equal(await run.ended, 0, `${run.stdout()}\n${run.stderr()}`);
    const own = /application id and topics begin with "(demo-[0-9a-f]{8})"/.exec(run.stdout())?.[1];
    assert.match(run.stderr(), new RegExp(`Created the topics ${own}-wallet-events, `));
    assert.match(run.stdout(), new RegExp(`\\(of \\d+ records in ${own}-wallet-events\\)`));
    assert.match(run.stdout(), /-> enriched: user 1984 DE, client in BR \(waited for its session\), first of its type/);
    assert.match(run.stdout(), /^RIGHT: every money event exactly once, every field right\.$/m);
    assert.doesNotMatch(run.stdout(), /killed with/);
    await nothingLeft(run);
  },
);

for (const [when, line] of [
  ['starting', /Starting worker and bridge/],
  ['sending', /^in [1-9]/m],
  ['the worker is dead', /The worker ended with SIGKILL/],
] as const) {
  test(`Ctrl-C while ${when}: all that was started is stopped, exit code 130`, { timeout: 300_000 }, async (t) => {
    const run = demo(t, ['--events', '600']);
    await eventually('that moment', () => line.test(run.stderr()), 120_000).catch((error: unknown) =>
      assert.fail(`${String(error)}\n${run.stderr()}`),
    );
    run.interrupt();
    assert.equal(await run.ended, 130, run.stderr());
    assert.match(run.stderr(), /Stopping all that was started \.\.\.\n$/);
    assert.doesNotMatch(run.stdout(), /RIGHT|WRONG/);
    await nothingLeft(run);
  });
}

test('wrong options are said in one line, exit code 2', async (t) => {
  const run = demo(t, ['--users', '1']);
  assert.equal(await run.ended, 2);
  assert.equal(run.stderr(), 'money-enrichment: --users is "1": give a whole number from 2 to 10000\n');
});
