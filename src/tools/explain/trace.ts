/** The time line of a user: a line for each thing that happened. */
import { isoOf } from '../../engine/workflow/iso.ts';
import type { Happening } from './happening.ts';
import { happeningWords } from './words.ts';

const TIME = 24;
const PLACE = 24;

/** Wall time, event time, place, what happened; a line that names `moneyId` begins with `>`. */
export function traceLine(happening: Happening, moneyId?: string): string {
  const { ts, place, text } = happeningWords(happening);
  const mark = moneyId === undefined ? '' : text.includes(moneyId) ? '> ' : '  ';
  return `${mark}${isoOf(happening.at)}  ${(ts === undefined ? '' : isoOf(ts)).padEnd(TIME)}  ${(place ?? '').padEnd(PLACE)}  ${text}`;
}
