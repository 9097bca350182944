/** A question before something is written where it may hurt. */
import { createInterface } from 'node:readline/promises';
import { CodedError } from '../engine/errors.ts';
import { printable } from '../engine/printable.ts';
import { isLoopback } from '../engine/temporal/connection.ts';

interface Terminal {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
}

/**
 * Resolves when it may be written: the brokers are all on this machine, or somebody says so. `what`: a sentence that says
 * what is written. Errors: CodedError CONFIG where there is nobody to ask, CHECK_FAILED when the answer is no.
 */
export async function askBeforeWriting(
  brokers: readonly string[],
  what: string,
  yes: boolean,
  { input, output }: Terminal = { input: process.stdin, output: process.stderr },
): Promise<void> {
  const others = brokers.filter((broker) => !isLoopback(broker)).map(printable);
  if (yes || others.length === 0) return;
  const sentence = `${what} of ${others.join(', ')}, which ${others.length === 1 ? 'is' : 'are'} not on this machine`;
  if (input.isTTY !== true || output.isTTY !== true) {
    throw new CodedError('CONFIG', `${sentence}, and there is nobody to ask: add --yes if that is what you want`);
  }
  const reader = createInterface({ input, output });
  try {
    const answer = await reader.question(`${sentence}. Go on? [y/N] `);
    if (!/^\s*y(es)?\s*$/i.test(answer)) throw new CodedError('CHECK_FAILED', 'nothing was written');
  } finally {
    reader.close();
  }
}
