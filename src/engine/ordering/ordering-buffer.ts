import { Heap } from 'heap-js';
import type { ReadRecord } from './read-record.ts';

/** On-time records, held until the watermark passes them; they leave in the order (ts, input, offset). */
export class OrderingBuffer<E = unknown> {
  readonly #heap = new Heap<ReadRecord<E>>((a, b) => a.ts - b.ts || a.input - b.input || a.offset - b.offset);
  #heldBytes = 0;

  get length(): number {
    return this.#heap.length;
  }

  get bytes(): number {
    return this.#heldBytes;
  }

  hold(record: ReadRecord<E>): void {
    this.#heap.push(record);
    this.#heldBytes += record.bytes;
  }

  /** Removes and yields, in order, everything with `ts < watermark`. */
  *release(watermark: number): Generator<ReadRecord<E>> {
    for (let record = this.#heap.peek(); record !== undefined && record.ts < watermark; record = this.#heap.peek()) {
      this.#heap.pop();
      this.#heldBytes -= record.bytes;
      yield record;
    }
  }

  /** Epoch ms; undefined when nothing is held. Looks at everything. */
  largestTs(): number | undefined {
    return this.#heap.length === 0
      ? undefined
      : this.#heap.toArray().reduce((largest, { ts }) => Math.max(largest, ts), -Infinity);
  }
}
