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
