/**
 * `--json`: stdout has one JSON document and nothing else. Whatever else a command prints there goes to stderr, and the
 * document is written when the command has ended, with the error in it if there was one.
 */
import { writeLine } from './output.ts';

export interface Failure {
  readonly code: string;
  readonly message: string;
  /** A command, or what to do; null when there is nothing. */
  readonly next: string | null;
}

type Write = (text: string, written?: () => void) => boolean;

interface Documents {
  readonly write: Write;
  document?: unknown;
  /** A document that is too large for memory: its first field is being written. */
  items?: number;
}

let documents: Documents | undefined;

/** From here on stdout belongs to the document. */
export function keepStdoutForDocument(): void {
  const { stdout, stderr } = process;
  const write: Write = (text, written) => (written === undefined ? stdoutWrite(text) : stdoutWrite(text, written));
  const stdoutWrite = stdout.write.bind(stdout);
  stdout.write = stderr.write.bind(stderr);
  documents = { write };
}

export function wantsDocument(): boolean {
  return documents !== undefined;
}

/** The result of a command: a document with `--json`, else lines. Once a command. */
export function result(document: unknown, lines: () => string | readonly string[]): void {
  if (documents === undefined) {
    for (const line of [lines()].flat()) writeLine(line);
    return;
  }
  if (documents.document !== undefined) throw new Error('a command has one result');
  documents.document = document;
}

/** With `--json`: the items become the first field of the document, as they come; its other fields are those of {@link result}. */
export async function streamItems(name: string, items: AsyncIterable<string> | Iterable<string>): Promise<void> {
  const kept = documents;
  if (kept === undefined) throw new Error('there is no document');
  kept.items = 0;
  kept.write(`{${JSON.stringify(name)}:[`);
  for await (const item of items) {
    const text = `${kept.items > 0 ? ',' : ''}${item}`;
    kept.items += 1;
    if (!kept.write(text)) await new Promise<void>((resolve) => process.stdout.once('drain', resolve));
  }
}

/** The end of `command`: nothing without `--json`, and once. */
export function writeDocument(command: string | undefined, failure?: Failure): Promise<void> {
  const { write, document: given, items } = documents ?? {};
  documents = undefined;
  if (write === undefined) return Promise.resolve();
  const found = given ?? (failure === undefined && items === undefined ? { command, done: true } : {});
  // A list has no place for the error: the exit code and stderr have it.
  const document = Array.isArray(found) ? found : { ...found, ...failure };
  const text = JSON.stringify(document);
  const rest = items === undefined ? text : `]${text === '{}' ? '}' : `,${text.slice(1)}`}`;
  return new Promise((resolve) => write(`${rest}\n`, resolve));
}
