/** `top` on a terminal: the other screen of it, keys one by one, and all as it was at the end, however that comes. */
import { messageOf } from '../../engine/errors.ts';
import { renderTop, SORTS, type Sort } from './render.ts';
import type { TopSnapshot } from './snapshot.ts';

const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const keysOf = (sort: Sort): string => `q quit   s sort (by ${sort})   up/down user   enter open the user`;
const OPENED = 'esc back   up/down more   q quit';
/** What a key sends: several may come at a time. Arrows are sent in two ways. */
const KEY = /\u001b(?:\[|O)[A-Z]|[^]/gu;
/** ms */
const INTERVAL = 1_000;

export interface TopScreenOptions {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  readonly color: boolean;
  /** What it begins with. */
  readonly sort?: Sort;
  readonly look: () => Promise<TopSnapshot>;
  /** What is to be shown of a user, by the name that the snapshot has. */
  readonly open: (user: string) => Promise<string>;
}

/** Until q or Ctrl-C, or a signal. */
export async function runLive({ input, output, color, sort: first, look, open }: TopScreenOptions): Promise<void> {
  let snapshot: TopSnapshot | undefined;
  let problem: string | undefined;
  let sort: Sort = first ?? 'partition';
  let chosen = 0;
  /** Of the user that is open: what is known, and the first line that is shown. */
  let opened: { lines: readonly string[]; top: number } | undefined;
  let isOver = false;
  let quit: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => (quit = resolve));
  const leave = (): void => {
    output.write(LEAVE);
    if (input.isTTY) input.setRawMode(false);
  };

  function draw(): void {
    if (isOver) return;
    const size = { columns: output.columns ?? 80, rows: output.rows ?? 24 };
    const frame = (): string[] =>
      snapshot === undefined
        ? [problem ?? 'asking Kafka ...']
        : renderTop(snapshot, { ...size, color, sort, chosen, keys: problem ?? keysOf(sort) });
    const page = (): string[] => {
      const { lines = [], top = 0 } = opened ?? {};
      return [OPENED, '', ...lines.slice(top)].map((line) => line.slice(0, size.columns));
    };
    const shown = (opened === undefined ? frame() : page()).slice(0, size.rows);
    output.write(`\u001b[H${shown.map((line) => `${line}\u001b[K`).join('\r\n')}\u001b[J`);
  }

  async function openChosen(): Promise<void> {
    const user = snapshot?.users[chosen]?.user;
    if (user === undefined) return;
    const page = { lines: [`asking the workflow of ${user} ...`] as readonly string[], top: 0 };
    opened = page;
    draw();
    const text = await open(user).catch((error: unknown) => messageOf(error));
    page.lines = text.split('\n');
    draw();
  }

  function move(by: number): void {
    const within = (place: number, count: number): number => Math.max(0, Math.min(count - 1, place + by));
    if (opened === undefined) chosen = within(chosen, snapshot?.users.length ?? 1);
    else opened.top = within(opened.top, opened.lines.length);
  }

  function onKey(key: string): void {
    if (key === 'q' || key === '\u0003') return quit();
    if (key === 's') sort = SORTS[(SORTS.indexOf(sort) + 1) % SORTS.length]!;
    else if (/^\u001b[[O]A$/.test(key)) move(-1);
    else if (/^\u001b[[O]B$/.test(key)) move(1);
    else if (key === '\r' || key === '\n') return void (opened === undefined && openChosen());
    else if (key === '\u001b') opened = undefined;
    draw();
  }

  const onData = (data: Buffer): void => {
    for (const key of data.toString('utf8').match(KEY) ?? []) onKey(key);
  };
  process.once('exit', leave);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, quit);
  output.write(ENTER);
  if (input.isTTY) input.setRawMode(true);
  input.on('data', onData);
  output.on('resize', draw);
  draw();
  let timer: NodeJS.Timeout | undefined;
  const turn = async (): Promise<void> => {
    try {
      snapshot = await look();
      problem = undefined;
    } catch (error) {
      problem = messageOf(error);
    }
    draw();
    if (!isOver) timer = setTimeout(() => void turn(), INTERVAL);
  };
  void turn();
  await ended;
  isOver = true;
  clearTimeout(timer);
  input.off('data', onData);
  input.pause();
  output.off('resize', draw);
  process.off('exit', leave);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, quit);
  leave();
}
