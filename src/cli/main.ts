/**
 * The program `money-enrichment`, which Temporal's command line runs as `temporal enrichment`. Exit codes: 0 done, 1 failed,
 * 2 wrong usage or configuration. Whatever goes wrong ends in lines on stderr that say what to change, and with --json in
 * the document on stdout; a stack trace only with ENRICHMENT_LOG_LEVEL=debug or trace, and in the log of a process that ends
 * by a fault of ours.
 */
import { asCalled, callAs, type Name } from './called-as.ts';
import { keepStdoutForDocument, result, wantsDocument, writeDocument } from './document.ts';
import { commandOf, execute, report, type Ending } from './execute.ts';
import { stopWithParent } from './stop-with-parent.ts';
import { takeTemporalOptions } from './temporal-options.ts';

/** Runs the command line `argv` (as in process.argv) and ends the process. `name`: the one by which it was called. */
export async function main(argv: readonly string[], name: Name = 'money-enrichment'): Promise<void> {
  quietBrokenPipe();
  callAs(name);
  if (process.connected) stopWithParent();
  const given = argv.slice(2);
  if (hasJson(given)) keepStdoutForDocument();
  const said: string[] = [];
  const end = async ({ exitCode, failure }: Ending): Promise<void> => {
    if (said.length > 0 && wantsDocument()) result(helpOf(said.join('')), () => []);
    await writeDocument(commandOf(given), failure);
    await flushed(process.stdout);
    process.exit(exitCode);
  };
  // A listener that throws must not end in a bare stack either.
  process.on('uncaughtException', (error) => void end(report(error, commandOf(given))));
  process.on('unhandledRejection', (error) => void end(report(error, commandOf(given))));
  let args = given;
  try {
    if (name === 'temporal enrichment') args = takeTemporalOptions(given, process.env);
  } catch (error) {
    return end(report(error, commandOf(given)));
  }
  if (hasJson(args) && !wantsDocument()) keepStdoutForDocument();
  const say = (text: string): void => void (wantsDocument() ? said.push(text) : process.stdout.write(asCalled(text)));
  await end(await execute(args, say));
}

/** What `--help` and `--version` print, as a document. */
function helpOf(text: string): object {
  return /^\d+\.\d+\.\d+\S*\n$/.test(text) ? { version: text.trim() } : { help: asCalled(text) };
}

/** What follows `--` is no option. */
function hasJson(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return (end === -1 ? args : args.slice(0, end)).includes('--json');
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
