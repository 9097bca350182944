/** The live part of the demo: a block that is redrawn on a terminal, plain lines every two seconds elsewhere. */
import { clearScreenDown, moveCursor } from 'node:readline';
import type { Figures } from './figures.ts';

export interface Screen {
  /** A line that stays, above the block. */
  log(line: string): void;
  /** The block as it is now. */
  show(figures: Figures): void;
  /** The block stays as it is: shown with `figures` a last time, where there are any. */
  end(figures?: Figures): void;
}

/** ms between plain lines */
const PLAIN_INTERVAL = 2_000;
const MIN_COLUMNS = 72;

export interface ScreenOptions {
  readonly stream: NodeJS.WriteStream;
  readonly env: NodeJS.ProcessEnv;
  readonly now: () => number;
}

export function createScreen({ stream, env, now }: ScreenOptions): Screen {
  const redraws = stream.isTTY === true && env['TERM'] !== 'dumb' && (stream.columns ?? 80) >= MIN_COLUMNS;
  const color = redraws && (env['NO_COLOR'] ?? '') === '';
  return redraws ? blockScreen(stream, color) : lineScreen(stream, now);
}

function lineScreen(stream: NodeJS.WriteStream, now: () => number): Screen {
  let last = -Infinity;
  return {
    log: (line) => void stream.write(`${line}\n`),
    show(figures) {
      if (now() - last < PLAIN_INTERVAL) return;
      last = now();
      stream.write(`${renderLine(figures)}\n`);
    },
    end: (figures) => figures !== undefined && void stream.write(`${renderLine(figures)}\n`),
  };
}

function blockScreen(stream: NodeJS.WriteStream, color: boolean): Screen {
  let block: readonly string[] = [];
  let drawn = 0;
  const erase = (): void => {
    if (drawn === 0) return;
    moveCursor(stream, 0, -drawn);
    stream.write('\r');
    clearScreenDown(stream);
    drawn = 0;
  };
  const draw = (): void => {
    for (const line of block) stream.write(`${line}\n`);
    drawn = block.length;
  };
  const show = (figures: Figures): void => {
    block = ['', ...renderBlock(figures, color), ''];
    erase();
    draw();
  };
  return {
    log(line) {
      erase();
      stream.write(`${line}\n`);
      draw();
    },
    show,
    end(figures) {
      if (figures !== undefined) show(figures);
      block = [];
      drawn = 0;
    },
  };
}

const number = (value: number): string => Math.round(value).toLocaleString('en');
const clock = (ts: number | undefined): string =>
  ts === undefined ? '-' : new Date(ts).toISOString().slice(0, 16).replace('T', ' ');
const BAR = 30;

/** Lines shorter than MIN_COLUMNS. */
export function renderBlock(figures: Figures, color: boolean): string[] {
  const paint = (code: number, text: string): string => (color ? `\u001b[${code}m${text}\u001b[0m` : text);
  const done = figures.total === 0 ? 0 : Math.floor((BAR * figures.sent) / figures.total);
  const row = (name: string, value: number, words: string): string =>
    `  ${paint(2, name.padEnd(16))}${paint(1, number(value).padStart(8))}  ${paint(2, words)}`;
  return [
    `  ${paint(36, '#'.repeat(done))}${paint(2, '.'.repeat(BAR - done))}  event time ${clock(figures.eventTime)}`,
    row('in', figures.sent, `of ${number(figures.total)} records, ${number(figures.sentPerSecond)}/s`),
    row('held', figures.held, 'until the watermark passes them'),
    row(
      'signalled',
      figures.signalledEvents,
      `events in ${number(figures.signals)} signals, ${number(figures.late)} of them late`,
    ),
    row('enriched', figures.enriched, `money events out, ${number(figures.enrichedPerSecond)}/s`),
    row('duplicates', figures.duplicates, 'dropped'),
    row('pending', figures.pending, 'wait for their session'),
    row('lookups', figures.lookups, 'answered by the session service'),
    row('dead letters', figures.deadLetters, 'that could not be used'),
  ];
}

export function renderLine(figures: Figures): string {
  return [
    `in ${number(figures.sent)}/${number(figures.total)} (${number(figures.sentPerSecond)}/s)`,
    `held ${number(figures.held)}`,
    `signalled ${number(figures.signalledEvents)} in ${number(figures.signals)}`,
    `enriched ${number(figures.enriched)} (${number(figures.enrichedPerSecond)}/s)`,
    `duplicates ${number(figures.duplicates)}`,
    `pending ${number(figures.pending)}`,
    `lookups ${number(figures.lookups)}`,
    `dead letters ${number(figures.deadLetters)}`,
    `late ${number(figures.late)}`,
    `event time ${clock(figures.eventTime)}`,
  ].join(', ');
}
