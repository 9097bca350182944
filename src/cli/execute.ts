/** Runs a command line, and says what went wrong: in lines on stderr, and as a {@link Failure} for the document of --json. */
import { CommanderError } from 'commander';
import { CodedError, messageOf } from '../engine/errors.ts';
import type { ErrorCode } from '../engine/errors.ts';
import { createLogger, LOG_LEVELS } from '../engine/log.ts';
import { beginAudit } from './audit.ts';
import { asCalled, calledName } from './called-as.ts';
import { COMMANDS } from './commands.ts';
import type { Failure } from './document.ts';
import { exitCodeOf, type FailureCode } from './failures.ts';
import { nextOf } from './next.ts';
import { createProgram } from './program.ts';
import { serviceFields } from './service-fields.ts';

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
  'UNDECIPHERABLE',
  'NOT_FOUND',
  'CHECK_FAILED',
] satisfies ErrorCode[]);

export interface Ending {
  readonly exitCode: number;
  readonly failure?: Failure;
}

/** `say`: help and version. Never throws. */
export async function execute(args: readonly string[], say: (text: string) => void): Promise<Ending> {
  try {
    return { exitCode: await run(args, say) };
  } catch (error) {
    return report(error, commandOf(args));
  }
}

async function run(args: readonly string[], say: (text: string) => void): Promise<number> {
  const program = await createProgram(calledName(), commandOf(args), say);
  if (args.length === 0) {
    program.outputHelp({ error: true });
    return exitCodeOf('USAGE');
  }
  program.hook('preAction', (_program, command) => {
    const audit = beginAudit(command);
    if (audit !== undefined) process.once('exit', audit);
  });
  await program.parseAsync([...args], { from: 'user' });
  return typeof process.exitCode === 'number' ? process.exitCode : 0;
}

/** The first argument that is no option, past the word `help`. */
export function commandOf(args: readonly string[]): string | undefined {
  const [first, second] = args.filter((argument) => !argument.startsWith('-'));
  const name = first === 'help' ? second : first;
  return COMMANDS.some((command) => command.name === name) ? name : undefined;
}

/** Says what went wrong on stderr. `command`: the word in its place, if it is one. */
export function report(error: unknown, command: string | undefined): Ending {
  if (error instanceof CommanderError) return reportUsage(error, command);
  if (error instanceof CodedError) {
    for (const line of error.message.split('\n')) print(line);
    if (error.code === 'CONFIG' || !logged(error, command)) printStack(error);
    return failed(error.code, error.message, command);
  }
  const log = logged(error, command);
  const message = `unexpected error: ${messageOf(error).split('\n')[0] ?? ''}`;
  print(`${message} (${log ? 'the log says where' : 'ENRICHMENT_LOG_LEVEL=debug shows where'})`);
  if (!log) printStack(error);
  return failed('UNEXPECTED', message, command);
}

function reportUsage(error: CommanderError, command: string | undefined): Ending {
  if (error.exitCode === 0) return { exitCode: 0 };
  if (error.code === 'commander.help') return failed('USAGE', 'a command is missing', command);
  const message = error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
  print(`${message}; see ${calledName()} ${command === undefined ? '' : `${command} `}--help`);
  return failed('USAGE', message, command);
}

function failed(code: FailureCode, message: string, command: string | undefined): Ending {
  const next = asCalled(nextOf(code, message, command));
  return {
    exitCode: exitCodeOf(code),
    failure: { code, message: asCalled(message), next },
  };
}

function print(line: string): void {
  process.stderr.write(`${calledName()}: ${asCalled(line)}\n`);
}

/** Whether it was put into the log, with its stack: that of a process which runs for long and which nobody watches. */
function logged(error: unknown, command: string | undefined): boolean {
  if (!LOGGING.has(command ?? '') || (error instanceof CodedError && TELLING.has(error.code))) return false;
  const level = LOG_LEVELS.find((one) => one === process.env['ENRICHMENT_LOG_LEVEL']?.toLowerCase());
  const words = process.env['ENRICHMENT_LOG_FORMAT']?.toLowerCase() === 'json-words';
  createLogger({
    ...(level === undefined ? {} : { level }),
    format: words ? 'json-words' : 'json',
    base: serviceFields(command ?? ''),
  }).fatal({ err: error }, `${command} ends by an error that it did not expect`);
  return level !== 'silent';
}

function printStack(error: unknown): void {
  if (!/^(debug|trace)$/i.test(process.env['ENRICHMENT_LOG_LEVEL'] ?? '')) return;
  if (error instanceof Error) process.stderr.write(`${error.stack ?? error.message}\n`);
}
