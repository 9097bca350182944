/** What people see of a backfill: a bar on a terminal, lines elsewhere, a summary. Pure. */
import type { BackfillStatus } from './status.ts';

const WIDTH = 24;

/** `rate`: records read a second. */
export function barOf(status: BackfillStatus, rate: number): string {
  const share = shareOf(status);
  const full = Math.floor(share * WIDTH);
  return `[${'#'.repeat(full)}${'-'.repeat(WIDTH - full)}] ${figures(status, rate)}`;
}

export function lineOf(status: BackfillStatus, rate: number): string {
  return `backfill: ${figures(status, rate)}`;
}

function figures(status: BackfillStatus, rate: number): string {
  const { total, written, open } = status;
  const lookups = open > 0 ? `, ${text(open)} lookups open` : '';
  return `${Math.floor(shareOf(status) * 100)}% of ${text(total)} records, ${text(rate)} records/s, ${text(written)} outputs${lookups}`;
}

function shareOf({ read, total }: BackfillStatus): number {
  return total === 0 ? 1 : Math.min(1, read / total);
}

/** Lines. `seconds` of this run, in which `read` records were read. */
export function summaryOf(
  topic: string,
  status: BackfillStatus,
  { seconds, read }: { readonly seconds: number; readonly read: number },
): string[] {
  const { total, written, duplicates, deadLetters, late, lookedUp, incomplete, added } = status;
  const rate =
    seconds > 0 && read > 0 ? ` in ${seconds.toFixed(1)} s (${text(Math.round(read / seconds))} records/s)` : '';
  const rows: [number, string][] = [
    [written, `outputs in ${topic}, of ${text(total)} records${rate}`],
    [lookedUp, 'of them looked up in the session service'],
    [incomplete, 'of them without an answer: header "enrichment: incomplete"'],
    [duplicates, 'duplicates left out'],
    [late, 'records that were late'],
    [deadLetters, 'records that cannot be used (a backfill writes no dead letters)'],
  ];
  const lines = rows
    .filter(([number], index) => index === 0 || number > 0)
    .map(([number, words]) => `${text(number).padStart(12)}  ${words}`);
  if (added > 0) {
    lines.push(`${text(added).padStart(12)}  records came to the inputs since it began; they are not in it`);
  }
  return lines;
}

function text(number: number): string {
  return Math.round(number).toLocaleString('en');
}
