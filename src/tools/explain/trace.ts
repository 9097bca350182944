/** The time line of a user: a line for each thing that happened. */
import type { Happening } from './happening.ts';
import { happeningWords, iso } from './words.ts';

const TIME = 24;
const PLACE = 24;

/** Wall time, event time, place, what happened; a line that names `moneyId` begins with `>`. */
export function traceLine(happening: Happening, moneyId?: string): string {
  const { ts, place, text } = happeningWords(happening);
  const mark = moneyId === undefined ? '' : text.includes(moneyId) ? '> ' : '  ';
  return `${mark}${iso(happening.at)}  ${(ts === undefined ? '' : iso(ts)).padEnd(TIME)}  ${(place ?? '').padEnd(PLACE)}  ${text}`;
}
