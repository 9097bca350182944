/** The rows of the table: what is measured, in which state, and how large it is. */
import { liveRound, type LiveLoad } from './live.ts';
import type { Figures } from './round.ts';
import type { Servers } from './servers.ts';
import type { Side } from './sides.ts';
import { bareRound, CACHED, SHARDS } from './touches.ts';

export interface Row {
  readonly name: string;
  readonly what: string;
  /** Of a build of the product. */
  readonly load: LiveLoad;
  /** The bare touch can stand beside it. */
  readonly touches: boolean;
}

const touchesOf = (users: number, returning: boolean): LiveLoad => ({ events: users, users, returning, oneEach: true });

export const ROWS: readonly Row[] = [
  {
    name: 'returning-5000',
    what: '20,000 events of 5,000 returning users, live',
    load: { events: 20_000, users: 5_000, returning: true },
    touches: false,
  },
  {
    name: 'returning-500',
    what: '20,000 events of 500 returning users, live',
    load: { events: 20_000, users: 500, returning: true },
    touches: false,
  },
  {
    name: 'new-5000',
    what: '20,000 events of 5,000 new users, live',
    load: { events: 20_000, users: 5_000, returning: false },
    touches: false,
  },
  {
    name: 'long-500',
    what: '200,000 events of 500 new users, live',
    load: { events: 200_000, users: 500, returning: false },
    touches: false,
  },
  {
    name: 'touch-new',
    what: 'one money event of each of 2,000 new users',
    load: touchesOf(2_000, false),
    touches: true,
  },
  {
    name: 'touch-cached',
    what: 'one money event of each of 800 returning users, in the cache',
    load: touchesOf(800, true),
    touches: true,
  },
  {
    name: 'touch-dropped',
    what: `one money event of each of ${5 * CACHED * SHARDS} returning users, five times what the caches of ${SHARDS} shards hold at ${CACHED} each`,
    load: touchesOf(5 * CACHED * SHARDS, true),
    touches: true,
  },
];

/** `scale`: of the number of events and users, to try a row out. */
export function scaled(row: Row, scale: number): Row {
  const { events, users } = row.load;
  const less = (count: number): number => Math.max(1, Math.round(count * scale));
  const what = scale === 1 ? row.what : `${row.what}, times ${scale}`;
  return { ...row, what, load: { ...row.load, events: less(events), users: less(users) } };
}

export function roundOf({ load }: Row, side: Side, servers: Servers, seed: number): Promise<Figures> {
  return side.kind === 'bare'
    ? bareRound({ workflows: load.users, known: load.returning }, servers)
    : liveRound(side, load, servers, seed);
}
