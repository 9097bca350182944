/** How commands write to stdout. */
import { asCalled } from './called-as.ts';

/** Whether colours may be written there: a terminal, unless https://no-color.org is asked for; FORCE_COLOR decides where it is set. */
export function takesColour(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env): boolean {
  const forced = env['FORCE_COLOR'];
  if ((env['NO_COLOR'] ?? '') !== '') return false;
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  return stream.isTTY === true && env['TERM'] !== 'dumb';
}

export function writeLine(line = ''): void {
  process.stdout.write(`${asCalled(line)}\n`);
}

/** A line beside the result: on stderr. */
export function sayLine(line: string): void {
  process.stderr.write(`${asCalled(line)}\n`);
}

/** ms between two lines of the same kind. */
const SELDOM = 10_000;

/** Lines on stderr that may come often: the first one at once, and then one in ten seconds. */
export function saidSeldom(
  say: (line: string) => void = sayLine,
  now = () => performance.now(),
): (line: string) => void {
  let saidAt = -Infinity;
  return (line) => {
    if (now() - saidAt < SELDOM) return;
    saidAt = now();
    say(line);
  };
}

/** ms for which a line may wait for those before it. */
const TOGETHER = 1_000;

/** Lines of partitions that come as they are done: within a second in the order of the partitions, and all of them at the end. */
export function byPartition<T extends { readonly partition: number }>(
  lineOf: (one: T) => string,
  say: (line: string) => void = writeLine,
): { readonly add: (one: T) => void; readonly end: () => void } {
  let waiting: T[] = [];
  let timer: NodeJS.Timeout | undefined;
  const end = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const now = waiting.sort((a, b) => a.partition - b.partition);
    waiting = [];
    for (const one of now) say(lineOf(one));
  };
  return {
    add(one) {
      waiting.push(one);
      timer ??= setTimeout(end, TOGETHER);
    },
    end,
  };
}

/** `1 record`, `2 records` */
export function count(number: number, noun: string): string {
  return `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;
}

/** Lines on stderr, from two seconds on and every two seconds: `reading x: 1,000 of 4,000`; without a total `reading x: 1,000`. */
export function progress(what: string): {
  readonly update: (done: number, total?: number) => void;
  readonly end: () => void;
} {
  let state = '';
  const timer = setInterval(() => process.stderr.write(`${what}${state}\n`), 2_000);
  return {
    update(done, total) {
      state = `: ${done.toLocaleString('en')}${total === undefined ? '' : ` of ${total.toLocaleString('en')}`}`;
    },
    end: () => clearInterval(timer),
  };
}
