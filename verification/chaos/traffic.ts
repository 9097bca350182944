/**
 * Traffic that flows all the time, and of which the model says one exact outcome: the records of a slice carry the time
 * of its end as their Kafka timestamp and are written topic after topic in the order of the inputs, each
 * acknowledged before the next, so that the logs always hold a beginning of the merged order (semantics, section 2).
 * Each partition is written by itself: one that cannot be written holds up no other.
 *
 * Beats go to every partition of every topic each second: records that move time, and of which something comes out at once, so
 * that a partition of which nothing comes out stands still and is not only quiet.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { OutRecord } from '../../src/engine/kafka/port.ts';
import { partitionOf } from '../../src/engine/kafka/partitioner.ts';
import { SLICES_PER_SECOND } from './apps/app.ts';
import type { Slice, TrafficSource } from './apps/app.ts';

const RETRY_MS = 500;
/** Records of one partition that wait to be written; with more there is no new slice for any. */
const MAX_WAITING = 5_000;
const ROOM_POLL_MS = 20;

export interface Traffic {
  /** Event time of the newest slice, epoch ms: nothing with a later one was ever sent. */
  readonly eventTime: number;
  /** Records written. */
  readonly written: number;
  /** Sends that failed and were repeated. */
  readonly repeated: number;
  /** The plan ran out before it was told to end: nothing flows any more. */
  readonly exhausted: boolean;
  /** Ends when the slices so far are written, and lets event time pass behind them. */
  end(): Promise<void>;
  /** Ends at once: what is not written stays unwritten. */
  abandon(): Promise<void>;
}

/** `input`: its index. */
export type Send = (input: number, records: readonly OutRecord[], partition: number) => Promise<void>;

/** `send` resolves when the records are written; what it throws makes it be asked again. */
export function startTraffic(source: TrafficSource, partitions: number, send: Send): Traffic {
  const state = { eventTime: 0, written: 0, repeated: 0, exhausted: false };
  const ending = new AbortController();
  let abandoned = false;
  let turn = 0;
  const lanes = Array.from({ length: partitions }, () => ({ waiting: 0, last: Promise.resolve() }));

  const writeTo = async (partition: number, records: Slice['records']): Promise<void> => {
    for (const [input, own] of records.entries()) {
      while (own.length > 0 && !abandoned) {
        try {
          await send(input, own, partition);
          break;
        } catch {
          state.repeated += 1; // whether it was written or not, the logs are what the model reads
          await sleep(RETRY_MS);
        }
      }
      state.written += own.length;
    }
  };
  const write = ({ timestamp, records }: Slice): void => {
    state.eventTime = timestamp;
    const split = lanes.map(() => records.map((): OutRecord[] => []));
    for (const [input, all] of records.entries()) {
      for (const record of all) {
        const partition = record.key === null ? turn++ % lanes.length : partitionOf(record.key, lanes.length);
        split[partition]![input]!.push(record);
      }
    }
    for (const [partition, lane] of lanes.entries()) {
      const own = split[partition]!;
      const count = own.reduce((sum, { length }) => sum + length, 0);
      lane.waiting += count;
      lane.last = lane.last.then(() => writeTo(partition, own)).then(() => void (lane.waiting -= count));
    }
  };
  const room = async (): Promise<void> => {
    while (!ending.signal.aborted && lanes.some(({ waiting }) => waiting > MAX_WAITING)) await sleep(ROOM_POLL_MS);
  };
  const run = async (): Promise<void> => {
    let next = Date.now();
    for (const slice of source.slices()) {
      await room();
      if (ending.signal.aborted) break;
      write(slice);
      next = Math.max(Date.now(), next + 1_000 / SLICES_PER_SECOND);
      await sleep(next - Date.now());
    }
    state.exhausted = !ending.signal.aborted;
    for (const slice of source.closing(state.eventTime)) write(slice);
    await Promise.all(lanes.map(({ last }) => last));
  };
  const running = run();
  running.catch(() => undefined); // end() tells
  return {
    get eventTime() {
      return state.eventTime;
    },
    get written() {
      return state.written;
    },
    get repeated() {
      return state.repeated;
    },
    get exhausted() {
      return state.exhausted;
    },
    async end() {
      ending.abort();
      await running;
    },
    async abandon() {
      abandoned = true;
      ending.abort();
      await running;
    },
  };
}
