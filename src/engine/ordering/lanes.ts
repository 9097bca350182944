/**
 * Which lanes (a partition of a topic) are fetched. A lane is paused as long as anything holds it. What is fetched ahead is
 * bounded for the process and divided among its lanes: it is memory only, and changes no result.
 */
import type { GroupMember, TopicPartition } from '../kafka/port.ts';

/** `taken`: its triple is not taken; `schemas`: a batch waits for its decoder; `full`: enough is queued; `fetched`: nothing more is wanted. */
export type HoldReason = 'taken' | 'schemas' | 'full' | 'fetched';

/** What is queued of a lane: fetching pauses at either, goes on below half. */
export interface LaneLimit {
  readonly records: number;
  readonly bytes: number;
}

/** Of a process: queued and not read. */
const MAX_QUEUED = { records: 300_000, bytes: 150_000_000 };
/** Of a lane. */
const MOST_QUEUED = { records: 2_000, bytes: 2_000_000 };
const LEAST_QUEUED = { records: 200, bytes: 100_000 };

export class Lanes {
  readonly #member: Pick<GroupMember, 'pause' | 'resume'>;
  readonly #holds = new Map<string, Set<HoldReason>>();
  #limit: LaneLimit;

  constructor(member: Pick<GroupMember, 'pause' | 'resume'>, limit: LaneLimit = MOST_QUEUED) {
    this.#member = member;
    this.#limit = limit;
  }

  /** `lanes`: how many this process has. */
  share(lanes: number): void {
    const part = (what: 'records' | 'bytes') =>
      Math.min(MOST_QUEUED[what], Math.max(LEAST_QUEUED[what], Math.floor(MAX_QUEUED[what] / Math.max(1, lanes))));
    this.#limit = { records: part('records'), bytes: part('bytes') };
  }

  hold(lane: TopicPartition, why: HoldReason): void {
    const key = laneOf(lane);
    const holds = this.#holds.get(key) ?? new Set();
    this.#holds.set(key, holds);
    if (holds.size === 0) this.#member.pause(lane.topic, lane.partition);
    holds.add(why);
  }

  release(lane: TopicPartition, why: HoldReason): void {
    const holds = this.#holds.get(laneOf(lane));
    if (holds?.delete(why) === true && holds.size === 0) this.#member.resume(lane.topic, lane.partition);
  }

  /** It is not this member's any more. */
  drop(lane: TopicPartition): void {
    this.#holds.delete(laneOf(lane));
  }

  /** The member fetches everything, whatever was held. */
  reset(): void {
    this.#holds.clear();
  }

  /** So much of it is queued. */
  queued(lane: TopicPartition, { records, bytes }: { readonly records: number; readonly bytes: number }): void {
    if (records >= this.#limit.records || bytes >= this.#limit.bytes) this.hold(lane, 'full');
    else if (records < this.#limit.records / 2 && bytes < this.#limit.bytes / 2) this.release(lane, 'full');
  }
}

export function laneOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

/** The other way. */
export function placeOf(lane: string): TopicPartition {
  const slash = lane.lastIndexOf('/');
  return { topic: lane.slice(0, slash), partition: Number(lane.slice(slash + 1)) };
}
