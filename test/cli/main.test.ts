import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { program, shell } from './program.ts';

const COMMANDS = ['dev', 'demo', 'topics', 'bridge', 'worker', 'state', 'generate', 'dead-letters', 'doctor'];

/** One clear line, and no stack. */
function assertOneLine(stderr: string): void {
  assert.match(stderr, /^money-enrichment: [^\n]+\n$/);
}

test('--help names every command, --version the version, both with exit code 0', async () => {
  const help = await program(['--help']);
  assert.equal(help.code, 0);
  assert.equal(help.stderr, '');
  for (const name of COMMANDS) assert.match(help.stdout, new RegExp(`^  ${name} `, 'm'));
  const version = await program(['--version']);
  assert.equal(version.code, 0);
  assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/);
});

describe('every command has help', () => {
  for (const name of COMMANDS) {
    test(name, async () => {
      const { code, stdout, stderr } = await program([name, '--help']);
      assert.equal(code, 0, stderr);
      assert.match(stdout, new RegExp(`^Usage: money-enrichment ${name} `));
    });
  }
  test('help state is state --help', async () => {
    assert.equal((await program(['help', 'state'])).stdout, (await program(['state', '--help'])).stdout);
  });
  test('dead-letters retry', async () => {
    const { code, stdout } = await program(['dead-letters', 'retry', '--help']);
    assert.equal(code, 0);
    assert.match(stdout, /^Usage: money-enrichment dead-letters retry /);
  });
});

describe('wrong usage ends with exit code 2 and one line that says what to change', () => {
  const cases: readonly [args: readonly string[], message: RegExp][] = [
    [['nope'], /unknown command 'nope'.*see money-enrichment --help/],
    [['stat'], /unknown command 'stat' \(Did you mean state\?\)/],
    [['--nope'], /unknown option '--nope'/],
    [['state'], /missing required argument 'userId'; see money-enrichment state --help/],
    [['state', 'x'], /user id "x": expected a UUID/],
    [['state', '0a7f5c36-6d0c-4f6e-9a52-0f8f1d3b2c11', 'more'], /too many arguments/],
    [['state', '--jso', 'x'], /unknown option '--jso'.*Did you mean --json/],
    [['topics', '--partitions', '0'], /expected a whole number from 1 to 1000/],
    [['dead-letters', '--reason', 'because'], /Allowed choices are too-large, malformed/],
    [['dead-letters', '--limit', '-1'], /expected a whole number from 1 to 1000000/],
    [['dead-letters', 'retry'], /nothing is chosen: expected --reason or --id/],
    [['dead-letters', 'retry', '--id', 'x'], /--id "x": expected topic\/partition\/offset/],
    [
      ['generate', '--start', '2026-02-30T00:00:00Z'],
      /'2026-02-30T00:00:00Z' is invalid\. expected a date and time that exist, with their zone/,
    ],
    [
      ['generate', '--start', '2026-02-28T10:00:00'],
      /'2026-02-28T10:00:00' is invalid\. expected .* with their zone, such as 2026-01-31T10:00:00Z/,
    ],
    [['generate', '--start', '1969-12-31T23:59:59Z'], /a time of the years 1970 to 8999/],
    [
      ['backfill', '--output-topic', 'x', '--from', '2026-02-30T00:00:00Z'],
      /--from <time>.*expected a date and time that exist/,
    ],
    [['backfill', '--output-topic', 'x', '--to', '2026-01-31'], /--to <time>.*with their zone/],
  ];
  for (const [args, message] of cases) {
    test(args.join(' '), async () => {
      const { code, stdout, stderr } = await program(args);
      assert.equal(code, 2, stderr);
      assert.equal(stdout, '');
      assertOneLine(stderr);
      assert.match(stderr, message);
    });
  }
  test('no command at all shows the help on stderr', async () => {
    const { code, stdout, stderr } = await program([]);
    assert.equal(code, 2);
    assert.equal(stdout, '');
    assert.match(stderr, /^Usage: money-enrichment/);
  });
});

describe('wrong configuration ends with exit code 2', () => {
  const missing: readonly [args: readonly string[], variable: string][] = [
    [['topics'], 'KAFKA_BROKERS'],
    [['dead-letters'], 'KAFKA_BROKERS'],
    [['state', '0a7f5c36-6d0c-4f6e-9a52-0f8f1d3b2c11'], 'TEMPORAL_ADDRESS'],
    [['bridge'], 'KAFKA_BROKERS'],
    [['worker'], 'KAFKA_BROKERS'],
  ];
  for (const [args, variable] of missing) {
    test(`${args[0]} without ${variable}`, async () => {
      const { code, stderr } = await program(args);
      assert.equal(code, 2, stderr);
      assert.match(stderr, new RegExp(`^money-enrichment: ${variable} is not set: expected `, 'm'));
      assert.doesNotMatch(stderr, /^ +at /m);
    });
  }

  test('every problem on a line of its own', async () => {
    const { code, stderr } = await program(['topics'], { ENRICHMENT_DEDUP_TTL: 'soon', ENRICHMENT_METRICS_PORT: 'x' });
    assert.equal(code, 2);
    assert.deepEqual(
      stderr
        .trim()
        .split('\n')
        .map((line) => /^money-enrichment: (\w+)/.exec(line)?.[1]),
      ['KAFKA_BROKERS', 'ENRICHMENT_DEDUP_TTL', 'ENRICHMENT_METRICS_PORT'],
    );
  });

  test('of the file .env too', async (t) => {
    const cwd = mkdtempSync(join(tmpdir(), 'money-enrichment-cli-'));
    t.after(() => rmSync(cwd, { recursive: true }));
    writeFileSync(join(cwd, '.env'), 'KAFKA_BROKERS=localhost\n');
    const { code, stderr } = await program(['topics'], {}, cwd);
    assert.equal(code, 2);
    assertOneLine(stderr);
    assert.match(stderr, /KAFKA_BROKERS="localhost": expected host:port/);
  });

  test('doctor shows it as failed checks', async () => {
    const { code, stdout, stderr } = await program(['doctor'], {
      ENRICHMENT_SESION_TTL: '1d',
      KAFKA_SASL_PASSWORD: 'hunter2',
    });
    assert.equal(code, 2);
    assert.match(stdout, /^✓ Node: /m);
    assert.match(stdout, /^✗ configuration: KAFKA_BROKERS is not set/m);
    assert.match(stdout, /^! configuration: ENRICHMENT_SESION_TTL means nothing here/m);
    assert.doesNotMatch(stdout + stderr, /hunter2|\u001b/);
  });
});

test('what does not answer ends with exit code 1 and one line', async () => {
  const { code, stderr } = await program(['topics'], { KAFKA_BROKERS: '127.0.0.1:1' });
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^money-enrichment: Kafka at "127\.0\.0\.1:1" \(KAFKA_BROKERS\) cannot be used: .*ECONNREFUSED/m,
  );
  assert.doesNotMatch(stderr, /^ +at /m);
});

describe('a process that ends by a fault of ours', () => {
  // Throws as soon as the program listens for what nobody caught.
  const bug = `data:text/javascript,${encodeURIComponent(`
    const on = process.on;
    process.on = (name, listener) => {
      if (name === 'unhandledRejection') setImmediate(() => { throw new TypeError('a fault of ours'); });
      return on.call(process, name, listener);
    };
  `)}`;
  const env = { NODE_OPTIONS: `--import ${bug}`, KAFKA_BROKERS: '127.0.0.1:1' };

  test('bridge: a line for people, and the stack in the log', async () => {
    const { code, stderr } = await program(['bridge'], env);
    assert.equal(code, 1);
    assert.match(stderr, /^money-enrichment: unexpected error: a fault of ours \(the log says where\)$/m);
    const entry = JSON.parse(stderr.split('\n').find((line) => line.startsWith('{')) ?? '{}') as {
      level?: number;
      err?: { type: string; stack: string };
    };
    assert.equal(entry.level, 60);
    assert.equal(entry.err?.type, 'TypeError');
    assert.match(entry.err?.stack ?? '', /a fault of ours\n +at /);
  });

  test('a command: a line for people, with the stack only at level debug', async () => {
    const { code, stderr } = await program(['topics'], env);
    assert.equal(code, 1);
    assert.equal(
      stderr,
      'money-enrichment: unexpected error: a fault of ours (ENRICHMENT_LOG_LEVEL=debug shows where)\n',
    );
    assert.match(
      (await program(['topics'], { ...env, ENRICHMENT_LOG_LEVEL: 'debug' })).stderr,
      /^TypeError: a fault of ours\n +at /m,
    );
  });
});

test('a reader that goes away is no error', async () => {
  const { code, stderr } = await shell('"$0" "$1" --help | true');
  assert.equal(code, 0, stderr);
  assert.equal(stderr, '');
});

test('options of topics that do not go together are refused, and nothing is done by halves', async () => {
  for (const [args, line] of [
    [['--from', 'end'], /^money-enrichment: --from says where an accepted log goes on: expected --accept <topic>/],
    [
      ['--accept', 'wallet-events', '--from', 'end', '--reset-watermark', '3'],
      /^money-enrichment: --accept and --reset-watermark are two decisions/,
    ],
    [['--reset-watermark', '3', '--keep-forever'], /^money-enrichment: --keep-forever is for topics that are created/],
  ] as const) {
    const { code, stderr } = await program(['topics', ...args]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, line);
    assertOneLine(stderr);
  }
});
