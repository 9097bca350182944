/**
 * The program `money-enrichment`. Exit codes: 0 done, 1 failed, 2 wrong usage or configuration. Whatever goes wrong ends
 * in lines on stderr that say what to change; a stack trace only with ENRICHMENT_LOG_LEVEL=debug or trace, and in the log
 * of a process that ends by a fault of ours.
 */
import { Command, CommanderError } from 'commander';
import { CodedError, messageOf } from '../engine/errors.ts';
import type { ErrorCode } from '../engine/errors.ts';
import { createLogger, LOG_LEVELS } from '../engine/log.ts';
import { productVersion } from '../engine/process/version.ts';
import { beginAudit } from './audit.ts';
import { COMMANDS } from './commands.ts';

const NAME = 'money-enrichment';
const USAGE = 2;
const FAILED = 1;
/** Commands whose stderr is a log. */
const LOGGING: ReadonlySet<string> = new Set(['bridge', 'worker']);
/** Their message says what is wrong and what to do: where in the code it was found tells nobody more. */
const TELLING: ReadonlySet<string> = new Set([
  'CONFIG',
  'UNREACHABLE',
  'TOPIC',
  'MISSING_PROGRAM',
  'LIBRARY',
  'NEWER_STATE',
  'NOT_FOUND',
  'CHECK_FAILED',
] satisfies ErrorCode[]);

/** Runs the command line `argv` (as in process.argv) and ends the process. */
export async function main(argv: readonly string[]): Promise<void> {
  quietBrokenPipe();
  // A listener that throws must not end in a bare stack either.
  const args = argv.slice(2);
  process.on('uncaughtException', (error) => process.exit(report(error, commandOf(args))));
  process.on('unhandledRejection', (error) => process.exit(report(error, commandOf(args))));
  const code = await run(args).catch((error: unknown) => report(error, commandOf(args)));
  await flushed(process.stdout);
  process.exit(code);
}

async function run(args: readonly string[]): Promise<number> {
  const wanted = commandOf(args);
  const entry = COMMANDS.find(({ name }) => name === wanted);
  const program = new Command(NAME)
    .description(
      'Exactly-once enrichment of a Kafka stream of money events, with one durable Temporal workflow per user.',
    )
    .version(productVersion(), '-V, --version', 'print the version')
    .enablePositionalOptions()
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .addHelpText(
      'after',
      `\nStart with: npx ${NAME} demo\nConfiguration: environment variables or a file .env; "${NAME} doctor" checks it.`,
    );
  for (const { name, summary, load } of COMMANDS) {
    program.addCommand(name === entry?.name ? (await load()).summary(summary) : new Command(name).summary(summary));
  }
  harden(program);
  program.hook('preAction', (_program, command) => {
    const audit = beginAudit(command);
    if (audit !== undefined) process.once('exit', audit);
  });
  if (args.length === 0) {
    program.outputHelp({ error: true });
    return USAGE;
  }
  await program.parseAsync([...args], { from: 'user' });
  return typeof process.exitCode === 'number' ? process.exitCode : 0;
}

/** The first argument that is no option, past the word `help`. */
function commandOf(args: readonly string[]): string | undefined {
  const [first, second] = args.filter((argument) => !argument.startsWith('-'));
  return first === 'help' ? second : first;
}

/** commander throws instead of ending the process, and leaves the words to {@link report}. */
function harden(command: Command): void {
  command
    .exitOverride()
    .configureOutput({ outputError: () => undefined })
    .configureHelp({ showGlobalOptions: false });
  for (const child of command.commands) harden(child);
}

/** Says what went wrong on stderr, and returns the exit code. `command`: the word in its place. */
function report(error: unknown, command?: string): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    if (error.code === 'commander.help') return USAGE;
    const known = COMMANDS.some(({ name }) => name === command) ? `${command} ` : '';
    print(`${error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ')}; see ${NAME} ${known}--help`);
    return USAGE;
  }
  if (error instanceof CodedError) {
    for (const line of error.message.split('\n')) print(line);
    if (error.code === 'CONFIG' || !logged(error, command)) printStack(error);
    return error.code === 'CONFIG' ? USAGE : FAILED;
  }
  const log = logged(error, command);
  print(
    `unexpected error: ${messageOf(error).split('\n')[0] ?? ''} (${log ? 'the log says where' : 'ENRICHMENT_LOG_LEVEL=debug shows where'})`,
  );
  if (!log) printStack(error);
  return FAILED;
}

function print(line: string): void {
  process.stderr.write(`${NAME}: ${line}\n`);
}

/** Whether it was put into the log, with its stack: that of a process which runs for long and which nobody watches. */
function logged(error: unknown, command: string | undefined): boolean {
  if (!LOGGING.has(command ?? '') || (error instanceof CodedError && TELLING.has(error.code))) return false;
  const level = LOG_LEVELS.find((one) => one === process.env['ENRICHMENT_LOG_LEVEL']?.toLowerCase());
  createLogger({ ...(level === undefined ? {} : { level }), plain: false }).fatal(
    { err: error },
    `${command} ends by an error that it did not expect`,
  );
  return level !== 'silent';
}

function printStack(error: unknown): void {
  if (!/^(debug|trace)$/i.test(process.env['ENRICHMENT_LOG_LEVEL'] ?? '')) return;
  if (error instanceof Error) process.stderr.write(`${error.stack ?? error.message}\n`);
}

/** `... | head` is no error. What handles signals has something to clean up, and goes on without a reader. */
function quietBrokenPipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      if (process.listenerCount('SIGTERM') === 0) process.exit(0);
    });
  }
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableEnded) resolve();
    else stream.write('', () => resolve());
  });
}
