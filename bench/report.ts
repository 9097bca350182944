/** Rounds as a table for people, as JSON, and against what was measured before. Pure. */
import type { Figures } from './round.ts';
import { median, ratioOf, type Ratio } from './statistics.ts';

/** One round of each side, one after the other. */
export interface Pair {
  readonly round: number;
  readonly figures: Readonly<Record<string, Figures>>;
  /** Why it does not count. */
  readonly dropped?: string;
}

export interface Measured {
  readonly row: string;
  readonly what: string;
  readonly sides: readonly [string, string];
  readonly pairs: readonly Pair[];
}

interface Line {
  readonly figure: string;
  readonly from: number;
  readonly to: number;
  readonly ratio: Ratio;
}

/** Of the pairs that count: medians of both sides, and the ratio of the second to the first. */
function linesOf({ sides: [first, second], pairs }: Measured): Line[] {
  const counted = pairs.filter(({ dropped }) => dropped === undefined);
  const names = [...new Set(counted.flatMap(({ figures }) => Object.keys(figures[second] ?? {})))];
  return names.map((figure) => {
    const values = counted.map(
      ({ figures }) => [figures[first]?.[figure] ?? NaN, figures[second]?.[figure] ?? NaN] as const,
    );
    return {
      figure,
      from: median(values.map(([from]) => from)),
      to: median(values.map(([, to]) => to)),
      ratio: ratioOf(values),
    };
  });
}

/** Markdown. */
export function tableOf(measured: Measured): string {
  const [first, second] = measured.sides;
  const counted = measured.pairs.filter(({ dropped }) => dropped === undefined).length;
  return [
    `### ${measured.row}: ${measured.what}`,
    '',
    `${counted} of ${measured.pairs.length} pairs of rounds count.`,
    '',
    `| | ${first} | ${second} | ${second} / ${first}, with the bootstrap's 90 % |`,
    '|---|---|---|---|',
    ...linesOf(measured).map(
      ({ figure, from, to, ratio }) =>
        `| ${figure} | ${short(from)} | ${short(to)} | ${Number.isNaN(ratio.median) ? '' : `**${short(ratio.median)}** (${short(ratio.from)} to ${short(ratio.to)})`} |`,
    ),
  ].join('\n');
}

/** Of one side, to compare with later: by row, then by figure. */
export type Baseline = Readonly<Record<string, Readonly<Record<string, number>>>>;

export function baselineOf(all: readonly Measured[]): Baseline {
  return Object.fromEntries(
    all.map((measured) => [
      measured.row,
      Object.fromEntries(linesOf(measured).map(({ figure, to }) => [figure, Number(short(to))])),
    ]),
  );
}

/** Figures that were counted do not depend on the machine, those in ms do. */
const COUNTED = / (a touch|per 1,000 events)$/;
/** How much more a count may be. */
const SLACK = 1.1;

/** What is dearer than the baseline has it, in counts, or was not measured though it is there; a text each. Of the rows that were run. */
export function dearerThan(baseline: Baseline, all: readonly Measured[]): string[] {
  return Object.entries(baselineOf(all)).flatMap(([row, figures]) =>
    Object.entries(baseline[row] ?? {}).flatMap(([figure, before]) => {
      const value = figures[figure];
      if (!COUNTED.test(figure)) return [];
      if (value === undefined || Number.isNaN(value)) {
        return [`${row}: ${figure}: not measured, the baseline has ${before}`];
      }
      return value <= before * SLACK ? [] : [`${row}: ${figure}: ${value}, the baseline has ${before}`];
    }),
  );
}

function short(value: number): string {
  if (Number.isNaN(value)) return '';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toFixed(digits);
}
