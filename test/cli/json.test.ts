import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Command } from 'commander';
import { COMMANDS } from '../../src/cli/commands.ts';
import { execute } from '../../src/cli/execute.ts';
import { createProgram } from '../../src/cli/program.ts';
import { program } from './program.ts';

const USER = '0a7f5c36-6d0c-4f6e-9a52-0f8f1d3b2c11';
/** What a command needs on its line to come as far as its configuration; those that are not here need nothing. */
const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  state: [USER],
  explain: [USER, USER],
  compare: ['a', 'b'],
  backfill: ['--output-topic', 'x'],
  cost: ['--users', '1', '--events-per-second', '1'],
};
/** They run without any configuration: they are given a wrong one. */
const WRONG = { KAFKA_BROKERS: 'localhost', ENRICHMENT_DEDUP_TTL: 'soon' };
/** They need none at all, or say it in their own way. */
const NOT_CONFIGURED = new Set(['doctor', 'completion']);

interface Failure {
  readonly code: string;
  readonly message: string;
  readonly next: string;
}

function assertFailure(text: string): Failure {
  const failure = JSON.parse(text) as Failure;
  assert.deepEqual(Object.keys(failure), ['code', 'message', 'next']);
  for (const value of Object.values(failure)) assert.equal(typeof value, 'string');
  return failure;
}

test('every command and every command of a command has --json', async () => {
  const all = await createProgram('money-enrichment', 'all', () => undefined);
  const without = (command: Command): string[] => [
    ...(command.options.some(({ long }) => long === '--json') ? [] : [command.name()]),
    ...command.commands.flatMap(without),
  ];
  assert.equal(all.commands.length, COMMANDS.length);
  assert.deepEqual(all.commands.flatMap(without), []);
});

describe('an error of any command is {code, message, next}', () => {
  const before = process.env;
  const silent = process.stderr.write.bind(process.stderr);
  // In this process, for twenty of them would take half a minute; as processes below.
  const outcome = async (args: readonly string[]): Promise<{ exitCode: number; failure: Failure }> => {
    process.env = { PATH: before['PATH'], HOME: '/nonexistent', ...WRONG };
    process.stderr.write = () => true;
    try {
      const { exitCode, failure } = await execute(args, () => undefined);
      return { exitCode, failure: assertFailure(JSON.stringify(failure)) };
    } finally {
      process.env = before;
      process.stderr.write = silent;
    }
  };
  for (const { name } of COMMANDS) {
    test(`${name} with an option that it does not have`, async () => {
      const { exitCode, failure } = await outcome([name, ...(ARGUMENTS[name] ?? []), '--no-such-option', '--json']);
      assert.equal(exitCode, 2);
      assert.deepEqual(failure, {
        code: 'USAGE',
        message: "unknown option '--no-such-option'",
        next: `money-enrichment ${name} --help`,
      });
    });
  }
  for (const { name } of COMMANDS.filter((command) => !NOT_CONFIGURED.has(command.name))) {
    test(`${name} with a wrong configuration`, async () => {
      const { exitCode, failure } = await outcome([name, ...(ARGUMENTS[name] ?? []), '--json']);
      assert.equal(exitCode, 2);
      assert.deepEqual([failure.code, failure.next], ['CONFIG', 'money-enrichment doctor']);
      assert.match(failure.message, /KAFKA_BROKERS="localhost": expected host:port/);
    });
  }
});

describe('an error with --json is one document on stdout', { concurrency: 2 }, () => {
  test('the message of a wrong configuration has all problems, and doctor is next', async () => {
    const { stdout } = await program(['topics', '--json'], WRONG);
    assert.deepEqual(assertFailure(stdout), {
      code: 'CONFIG',
      message:
        'KAFKA_BROKERS="localhost": expected host:port, several separated by commas\n' +
        'ENRICHMENT_DEDUP_TTL="soon": expected a duration such as 500ms, 20s, 5m, 1h or 1d',
      next: 'money-enrichment doctor',
    });
  });

  test('what does not answer has exit code 1', async () => {
    const { code, stdout } = await program(['topics', '--json'], { KAFKA_BROKERS: '127.0.0.1:1' });
    assert.equal(code, 1);
    const { code: kind, next } = assertFailure(stdout);
    assert.deepEqual([kind, next], ['UNREACHABLE', 'money-enrichment doctor']);
  });

  test('a fault of ours', async () => {
    const bug = `data:text/javascript,${encodeURIComponent(`
      const on = process.on;
      process.on = (name, listener) => {
        if (name === 'unhandledRejection') setImmediate(() => { throw new TypeError('a fault of ours'); });
        return on.call(process, name, listener);
      };
    `)}`;
    const env = { NODE_OPTIONS: `--import ${bug}`, KAFKA_BROKERS: '127.0.0.1:1' };
    const { code, stdout } = await program(['topics', '--json'], env);
    assert.equal(code, 1);
    assert.deepEqual(assertFailure(stdout), {
      code: 'UNEXPECTED',
      message: 'unexpected error: a fault of ours',
      next: 'run it again with ENRICHMENT_LOG_LEVEL=debug, which shows where',
    });
  });

  test('no command, and one that there is not', async () => {
    assert.equal(assertFailure((await program(['--json'])).stdout).code, 'USAGE');
    const { stdout } = await program(['stat', '--json']);
    assert.match(assertFailure(stdout).message, /^unknown command 'stat' \(Did you mean state\?\)$/);
  });
});

test('--json before the command is the same', async () => {
  assert.equal(assertFailure((await program(['--json', 'state', 'x'])).stdout).code, 'CONFIG');
});

test('doctor gives a list of all checks, and fails by its exit code', async () => {
  const { code, stdout } = await program(['doctor', '--json']);
  assert.equal(code, 2);
  const checks = JSON.parse(stdout) as readonly { level: string; subject: string }[];
  assert.deepEqual(
    checks.map(({ level, subject }) => `${level} ${subject}`),
    [
      'ok Node',
      'ok kafkajs',
      'ok Temporal SDK',
      'failed configuration',
      'failed configuration',
      'failed configuration',
      'ok encryption',
    ],
  );
});

test('help and version are documents as well', async () => {
  const help = JSON.parse((await program(['state', '--help', '--json'])).stdout) as { help: string };
  assert.match(help.help, /^Usage: money-enrichment state /);
  const version = JSON.parse((await program(['--version', '--json'])).stdout) as { version: string };
  assert.match(version.version, /^\d+\.\d+\.\d+$/);
});

test('what a command says besides is on stderr', async () => {
  const { stdout, stderr } = await program(['generate', '--events', '5', '--out', '/dev/null', '--json']);
  assert.deepEqual(JSON.parse(stdout), { records: 5, users: 100, out: '/dev/null' });
  assert.match(stderr, /^wrote 5 records of 100 users to \/dev\/null/);
  const both = await program(['generate', '--events', '5', '--out', '-', '--json']);
  assert.equal(both.code, 2);
  assert.match(assertFailure(both.stdout).message, /^--json and --out -: /);
});
