/** `top` on a terminal: the other screen of it, keys one by one, and all as it was at the end, however that comes. */
import { messageOf } from '../../engine/errors.ts';
import { renderTop, SORTS, type Sort } from './render.ts';
import type { TopSnapshot } from './snapshot.ts';

const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const KEYS = 'q quit   s sort   up/down user   enter open the user   esc back';
/** ms */
const INTERVAL = 1_000;

export interface TopScreenOptions {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  readonly color: boolean;
  readonly look: () => Promise<TopSnapshot>;
  /** What is to be shown of a user, by the name that the snapshot has. */
  readonly open: (user: string) => Promise<string>;
}

/** Until q or Ctrl-C, or a signal. */
export async function runLive({ input, output, color, look, open }: TopScreenOptions): Promise<void> {
  let snapshot: TopSnapshot | undefined;
  let problem: string | undefined;
  let sort: Sort = 'partition';
  let chosen = 0;
  let opened: string[] | undefined;
  let quit: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => (quit = resolve));
  const leave = (): void => {
    output.write(LEAVE);
    if (input.isTTY) input.setRawMode(false);
  };

  function draw(): void {
    const size = { columns: output.columns ?? 80, rows: output.rows ?? 24 };
    const lines =
      opened ??
      (snapshot === undefined
        ? [problem ?? 'asking Kafka ...']
        : renderTop(snapshot, { ...size, color, sort, chosen, keys: problem ?? `${KEYS}   by ${sort}` }));
    const shown = lines.slice(0, size.rows).map((line) => (opened ? line.slice(0, size.columns) : line));
    output.write(`\u001b[H${shown.map((line) => `${line}\u001b[K`).join('\r\n')}\u001b[J`);
  }

  async function openChosen(): Promise<void> {
    const user = snapshot?.users[chosen]?.user;
    if (user === undefined) return;
    opened = [`asking the workflow of ${user} ...`];
    draw();
    const text = await open(user).catch((error: unknown) => messageOf(error));
    opened = ['esc: back', '', ...text.split('\n')];
    draw();
  }

  function onKey(key: string): void {
    if (key === 'q' || key === '\u0003') return quit();
    if (key === 's') sort = SORTS[(SORTS.indexOf(sort) + 1) % SORTS.length]!;
    else if (key === '\u001b[A') chosen = Math.max(0, chosen - 1);
    else if (key === '\u001b[B') chosen = Math.min(Math.max(0, (snapshot?.users.length ?? 1) - 1), chosen + 1);
    else if (key === '\r') return void openChosen();
    else if (key === '\u001b') opened = undefined;
    draw();
  }

  const onData = (data: Buffer): void => onKey(data.toString('utf8'));
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
    timer = setTimeout(() => void turn(), INTERVAL);
  };
  void turn();
  await ended;
  clearTimeout(timer);
  input.off('data', onData);
  input.pause();
  output.off('resize', draw);
  process.off('exit', leave);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, quit);
  leave();
}
