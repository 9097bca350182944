/**
 * The merged reading of the inputs (semantics, section 2): by (Kafka record timestamp, input, offset), as far as records are
 * there to be merged. A record may be read before an input whose queue is empty only if that input's log was seen to end
 * there a while after the record had arrived: otherwise an earlier one may be on its way, from the broker or from a
 * producer that sent both.
 */
import type { Decoded, InputOffsets } from './decoded.ts';
import { Fifo } from './fifo.ts';
import type { UnusableRecord } from './read-record.ts';
import type { RecordMark } from './record-mark.ts';
import type { InputIndex } from './watermark.ts';

export interface Fetched<E = unknown> {
  readonly offset: number;
  /** Kafka record timestamp, epoch ms. Compared as doubles: nanoseconds that are less than 256 apart count as the same moment. */
  readonly timestamp: number;
  /** A hash of all that it holds, see record-mark.ts. */
  readonly print?: number;
  readonly bytes: number;
  readonly decoded: Decoded<E>;
  /** Kept only of a record that cannot be used. */
  readonly raw?: Pick<UnusableRecord, 'key' | 'value' | 'headers' | 'timestampText'>;
}

interface Queued<E> extends Fetched<E> {
  readonly arrivedAt: number;
}

/** ms: producers that write to several topics do not do so at the very same time. */
const GRACE = 300;

interface Lane<E> {
  readonly queue: Fifo<Queued<E>>;
  bytes: number;
  /** The mark of the record that was fetched last. */
  last: RecordMark | undefined;
  /** Next offset that a fetch will bring. */
  fetched: number;
  /** When the last fetch arrived, ms. */
  fetchedAt: number;
  /** The end of the log, as the answer to a question that was put at `at` ms. */
  end: { readonly offset: number; readonly at: number } | undefined;
}

export class MergeQueue<E = unknown> {
  readonly #lanes: readonly Lane<E>[];
  readonly #inputs: readonly InputIndex[];

  /** `next`: where the first fetch of each input starts. */
  constructor(next: InputOffsets) {
    this.#lanes = next.map((fetched) => ({
      queue: new Fifo(),
      bytes: 0,
      last: undefined,
      fetched,
      fetchedAt: -Infinity,
      end: undefined,
    }));
    this.#inputs = [...next.keys()];
  }

  #lane(input: InputIndex): Lane<E> {
    return this.#lanes[input]!;
  }

  /** The offset at which the next fetch of this input has to start. */
  nextFetch(input: InputIndex): number {
    return this.#lane(input).fetched;
  }

  offer(input: InputIndex, records: readonly Fetched<E>[], next: number, arrivedAt: number): void {
    const lane = this.#lane(input);
    for (const record of records) {
      lane.queue.push({ ...record, arrivedAt });
      lane.bytes += record.bytes;
    }
    const last = records.findLast(({ print }) => print !== undefined);
    if (last?.print !== undefined) lane.last = { offset: last.offset, print: last.print };
    lane.fetched = next;
    lane.fetchedAt = arrivedAt;
  }

  /** The mark of the record that was fetched last; undefined where none was, or none has a mark. */
  lastFetched(input: InputIndex): RecordMark | undefined {
    return this.#lane(input).last;
  }

  /** What is read next of this input, if it is fetched. */
  head(input: InputIndex): Fetched<E> | undefined {
    return this.#lane(input).queue.peek();
  }

  /** What would be fetched next is gone from the log, up to `offset`. */
  skipTo(input: InputIndex, offset: number): void {
    this.#lane(input).fetched = offset;
  }

  /**
   * The log of this input ended at `offset`; asked at `at` ms. False when that is before what was fetched earlier: a log
   * that lost its end, or another log. It is not read to its end then, and nothing is read that has to wait for it.
   */
  sawEnd(input: InputIndex, offset: number, at: number): boolean {
    const lane = this.#lane(input);
    const short = offset < lane.fetched && at > lane.fetchedAt;
    lane.end = short ? undefined : { offset, at };
    return !short;
  }

  /** Where the log of this input ended, as last seen; undefined while that is not known. */
  endOf(input: InputIndex): number | undefined {
    return this.#lane(input).end?.offset;
  }

  /** Everything up to the end of the log, as last seen, was taken. */
  atEnd(input: InputIndex): boolean {
    const { queue, end, fetched } = this.#lane(input);
    return queue.length === 0 && end !== undefined && fetched >= end.offset;
  }

  /** Kafka timestamp of the oldest record that is queued, epoch ms; Infinity when none is. */
  get oldestTimestamp(): number {
    return Math.min(...this.#lanes.map(({ queue }) => queue.peek()?.timestamp ?? Infinity));
  }

  size(input: InputIndex): { readonly records: number; readonly bytes: number } {
    return { records: this.#lane(input).queue.length, bytes: this.#lane(input).bytes };
  }

  /**
   * The input whose head is next. `only`: the inputs that may be read, when memory forbids to read the others; the
   * merged order then holds among these. `blocked`: something is there, but the end of another input has to be seen.
   */
  next(only: readonly InputIndex[] = this.#inputs): InputIndex | 'blocked' | undefined {
    let first: InputIndex | undefined;
    for (const input of only) {
      const head = this.#lane(input).queue.peek();
      if (head === undefined) continue;
      if (first === undefined || head.timestamp < this.#lane(first).queue.peek()!.timestamp) first = input;
    }
    if (first === undefined) return undefined;
    const { arrivedAt } = this.#lane(first).queue.peek()!;
    const open = only.some((input) => {
      const { queue, end, fetched } = this.#lane(input);
      return queue.length === 0 && (end === undefined || end.at < arrivedAt + GRACE || fetched < end.offset);
    });
    return open ? 'blocked' : first;
  }

  take(input: InputIndex): Fetched<E> {
    const lane = this.#lane(input);
    const record = lane.queue.shift()!;
    lane.bytes -= record.bytes;
    return record;
  }
}
