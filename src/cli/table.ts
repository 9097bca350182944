/** Tables for people: as wide as they need in a pipe or a file, folded to the window on a terminal. */

/** Characters that take no column, and those that take two (East Asian wide forms, pictures). */
const NO_COLUMN = /^[\p{M}\p{Cf}]$/u;
const TWO_COLUMNS =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]$/u;
/** Columns that are worth folding the last cell into. */
const NARROWEST = 20;
const GAP = '  ';

/** Columns of the window that stdout is; Infinity where it is none. */
export function windowWidth(stream: { readonly isTTY?: boolean; readonly columns?: number } = process.stdout): number {
  return stream.isTTY === true ? (stream.columns ?? 80) : Infinity;
}

/** Columns that the text takes on a terminal. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const sign of text) columns += NO_COLUMN.test(sign) ? 0 : TWO_COLUMNS.test(sign) ? 2 : 1;
  return columns;
}

/**
 * Rows under a heading, columns two spaces apart; the last one is not padded. Where that is wider than `width`, the last
 * column is folded; where that is not enough, each row becomes lines of its own, a line a column.
 */
export function table(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  width: number = windowWidth(),
): string {
  const widths = heading.map((title, column) =>
    Math.max(columnsOf(title), ...rows.map((row) => columnsOf(row[column] ?? ''))),
  );
  const before = widths.slice(0, -1).reduce((sum, one) => sum + one + GAP.length, 0);
  if (width < before + NARROWEST && width < before + (widths.at(-1) ?? 0)) return standing(heading, rows, width);
  return [heading, ...rows].flatMap((cells) => lying(cells, widths, width - before)).join('\n');
}

function lying(cells: readonly string[], widths: readonly number[], last: number): string[] {
  const folded = cells.length < widths.length ? [''] : fold(cells.at(-1) ?? '', last);
  const start = widths.slice(0, -1).map((width, column) => padded(cells[column] ?? '', width) + GAP);
  return folded.map((text, line) =>
    `${start.map((cell) => (line === 0 ? cell : ' '.repeat(columnsOf(cell)))).join('')}${text}`.trimEnd(),
  );
}

function standing(heading: readonly string[], rows: readonly (readonly string[])[], width: number): string {
  const title = Math.max(...heading.map(columnsOf));
  return rows
    .map((row) =>
      row
        .flatMap((cell, column) => lying([heading[column] ?? '', cell], [title, 0], width - title - GAP.length))
        .join('\n'),
    )
    .join('\n\n');
}

/** At spaces where there are some. */
function fold(text: string, width: number): string[] {
  if (columnsOf(text) <= width) return [text];
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (columnsOf(longer) <= width) {
      line = longer;
      continue;
    }
    if (line !== '') lines.push(line);
    const pieces = chop(word, Math.max(NARROWEST, width));
    lines.push(...pieces.slice(0, -1));
    line = pieces.at(-1) ?? '';
  }
  return [...lines, line];
}

function chop(word: string, width: number): string[] {
  const pieces = [''];
  let columns = 0;
  for (const sign of word) {
    const wide = columnsOf(sign);
    if (columns + wide > width) {
      pieces.push('');
      columns = 0;
    }
    pieces[pieces.length - 1] += sign;
    columns += wide;
  }
  return pieces;
}

function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - columnsOf(text)));
}
