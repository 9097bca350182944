/** How commands write to stdout. */

/** Whether colours may be written there: a terminal, and https://no-color.org is not asked for. */
export function takesColour(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env): boolean {
  return stream.isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
}

export function writeLine(line = ''): void {
  process.stdout.write(`${line}\n`);
}

/** Rows under a heading, columns two spaces apart; the last one is not padded. */
export function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heading.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column === cells.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd();
  return [heading, ...rows].map(line).join('\n');
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
