/** One frame of `top`: lines no wider than the window, and no more than it has. Pure. */
import type { TopSnapshot } from './snapshot.ts';

export const SORTS = ['partition', 'lag', 'rate', 'watermark'] as const;
export type Sort = (typeof SORTS)[number];

export interface Look {
  readonly columns: number;
  readonly rows: number;
  readonly color: boolean;
  readonly sort: Sort;
  /** Of the users, from 0; undefined: none can be chosen. */
  readonly chosen?: number;
  /** The last line: which keys there are. */
  readonly keys?: string;
}

export function renderTop(snapshot: TopSnapshot, look: Look): string[] {
  const { columns, rows, color } = look;
  const bold = (text: string): string => (color ? `\u001b[1m${text}\u001b[0m` : text);
  const dim = (text: string): string => (color ? `\u001b[2m${text}\u001b[0m` : text);
  const cut = (text: string): string => (text.length > columns ? `${text.slice(0, Math.max(0, columns - 1))}…` : text);
  const head = [
    bold(cut(headOf(snapshot))),
    ...problemsOf(snapshot).map(cut),
    cut(waitingOf(snapshot)),
    cut(lettersOf(snapshot)),
    cut(shardsOf(snapshot)),
  ];
  const foot = look.keys === undefined ? [] : [dim(cut(look.keys))];
  const room = Math.max(0, rows - head.length - foot.length - 4);
  const users = snapshot.users.slice(0, Math.max(1, Math.min(snapshot.users.length, Math.ceil(room / 2))));
  const partitions = sorted(snapshot, look.sort).slice(0, Math.max(1, room - users.length));
  const more = snapshot.partitions.length - partitions.length;
  const lines = [
    ...head,
    '',
    dim(cut(`${'PARTITION'.padEnd(10)}${'LAG'.padStart(10)}${'IN/S'.padStart(9)}${'HELD'.padStart(9)}  WATERMARK`)),
    ...partitions.map((row) => cut(partitionLine(row))),
    ...(more > 0 ? [cut(`and ${more} more partitions`)] : []),
    dim(cut(`${'BUSIEST USERS'.padEnd(40)}${'RECORDS'.padStart(8)}`)),
    ...users.map(({ user, records }, index) => {
      const line = cut(
        `${index === look.chosen ? '> ' : '  '}${user.slice(0, 36).padEnd(38)}${number(records).padStart(8)}`,
      );
      return index === look.chosen ? bold(line) : line;
    }),
    ...foot,
  ];
  return lines.length > rows ? [...lines.slice(0, Math.max(0, rows - foot.length)), ...foot].slice(0, rows) : lines;
}

const number = (value: number): string => Math.round(value).toLocaleString('en');
const known = (value: number | null): string => (value === null ? '-' : number(value));

function headOf({ at, throughput, partitions }: TopSnapshot): string {
  const lag = partitions.reduce((sum, row) => sum + row.lag, 0);
  return `${at.slice(11, 19)}  in ${known(throughput.in)}/s  out ${known(throughput.out)}/s  lag ${number(lag)}`;
}

function problemsOf({ processes, withoutLeader }: TopSnapshot): string[] {
  return [
    ...processes.flatMap(({ url, problem }) => (problem === undefined ? [] : [`! ${url}: ${problem}`])),
    ...(withoutLeader.length === 0 ? [] : [`! without a leader, as they were before: ${withoutLeader.join(', ')}`]),
  ];
}

function waitingOf({ waiting }: TopSnapshot): string {
  const { pendingMoney, awaitingLookup, lookupsInFlight, unpublished } = waiting;
  return `pending ${known(pendingMoney)}  awaiting a lookup ${known(awaitingLookup)}  lookups ${known(lookupsInFlight)}  unpublished ${known(unpublished)}`;
}

function lettersOf({ deadLetters }: TopSnapshot): string {
  const reasons = Object.entries(deadLetters.byReason).sort(([, a], [, b]) => b - a);
  const listed = reasons.map(([reason, count]) => `${reason} ${number(count)}`).join(', ');
  return `dead letters ${number(deadLetters.inTopic)}${listed === '' ? '' : ` (since the start: ${listed})`}`;
}

function shardsOf({ shards }: TopSnapshot): string {
  if (shards.length === 0) return 'shards -';
  const owners = new Map<string, number[]>();
  for (const { shard, owner } of shards) owners.set(owner, [...(owners.get(owner) ?? []), shard]);
  const text = [...owners].map(
    ([owner, own]) => `${own.join(' ')} at ${owner.replace(/^https?:\/\/|\/metrics$/g, '')}`,
  );
  return `shards ${text.join('; ')}`;
}

function partitionLine(row: TopSnapshot['partitions'][number]): string {
  const { partition, lag, perSecond, held, watermark, watermarkLagSeconds, idle } = row;
  const time =
    watermark === null ? '-' : `${watermark.slice(0, 19).replace('T', ' ')}  ${agoOf(watermarkLagSeconds ?? 0)}`;
  return `${String(partition).padEnd(10)}${number(lag).padStart(10)}${known(perSecond).padStart(9)}${known(held).padStart(9)}  ${time}${idle === true ? '  idle' : ''}`;
}

function agoOf(seconds: number): string {
  if (seconds < 0) return `${number(-seconds)} s ahead`;
  if (seconds < 120) return `${number(seconds)} s behind`;
  return seconds < 7_200 ? `${number(seconds / 60)} min behind` : `${number(seconds / 3_600)} h behind`;
}

function sorted({ partitions }: TopSnapshot, sort: Sort): TopSnapshot['partitions'] {
  const by: Record<Sort, (row: TopSnapshot['partitions'][number]) => number> = {
    partition: ({ partition }) => partition,
    lag: ({ lag }) => -lag,
    rate: ({ perSecond }) => -(perSecond ?? 0),
    watermark: ({ watermarkLagSeconds }) => -(watermarkLagSeconds ?? -Infinity),
  };
  return partitions.toSorted((a, b) => by[sort](a) - by[sort](b) || a.partition - b.partition);
}
