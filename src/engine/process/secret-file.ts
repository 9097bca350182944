/**
 * Secrets that stand in files. A file is looked at again while the process runs, so that what is rotated there counts without a
 * restart. Only at the start is a file that cannot be used an error: later, what it had goes on counting, and `problem` says so.
 */
import { readFileSync } from 'node:fs';
import { messageOf } from '../errors.ts';

/** A text, or what gives it as it is now. */
export type Fresh = string | (() => string);

export function currentOf(value: Fresh): string {
  return typeof value === 'function' ? value() : value;
}

/** ms for which what was read counts: some secrets are asked for at every request. */
const READ_EVERY = 1_000;

export interface SecretFileOptions {
  /** The variable that names the file, for people. */
  readonly variable: string;
  readonly path: string;
  /** What is wrong with a text; undefined: nothing. */
  readonly check?: (text: string) => string | undefined;
  /** Monotonic ms. */
  readonly elapsed?: () => number;
}

export class SecretFile {
  readonly variable: string;
  readonly path: string;
  readonly #options: SecretFileOptions;
  readonly #elapsed: () => number;
  #text: string;
  #readAt: number;
  #problem: string | undefined;

  /** Reads it. Throws an Error that says what is wrong with the file, without what is in it. */
  constructor(options: SecretFileOptions) {
    this.variable = options.variable;
    this.path = options.path;
    this.#options = options;
    this.#elapsed = options.elapsed ?? (() => performance.now());
    this.#text = usable(options);
    this.#readAt = this.#elapsed();
  }

  /** As it is in the file, but for a second. */
  readonly current = (): string => {
    if (this.#elapsed() - this.#readAt >= READ_EVERY) {
      this.#readAt = this.#elapsed();
      try {
        this.#text = usable(this.#options);
        this.#problem = undefined;
      } catch (error) {
        this.#problem = messageOf(error);
      }
    }
    return this.#text;
  };

  /** Why what it has now does not count; undefined while it does. */
  get problem(): string | undefined {
    this.current();
    return this.#problem;
  }
}

function usable({ path, check }: SecretFileOptions): string {
  const text = textOf(path);
  if (text === '') throw new Error('it is empty');
  const wrong = check?.(text);
  if (wrong !== undefined) throw new Error(wrong);
  return text;
}

/** Without the line ends at the end that editors and `echo` leave. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8').replace(/[\r\n]+$/, '');
  } catch (error) {
    // What follows is the path, which is said anyhow where it may be.
    throw new Error(messageOf(error).replace(/, (open|read)\b[^]*$/, ''), { cause: error });
  }
}
