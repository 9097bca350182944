/** A priority queue by (timestamp, order of arrival): a binary heap. */
interface Entry<T> {
  readonly timestamp: number;
  readonly sequence: number;
  readonly item: T;
}

function before<T>(a: Entry<T>, b: Entry<T>): boolean {
  return a.timestamp < b.timestamp || (a.timestamp === b.timestamp && a.sequence < b.sequence);
}

export class Schedule<T> {
  readonly #heap: Entry<T>[] = [];
  #sequence = 0;

  /** @param timestamp epoch ms */
  add(timestamp: number, item: T): void {
    const heap = this.#heap;
    const entry = { timestamp, sequence: this.#sequence, item };
    this.#sequence += 1;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(entry, heap[parent] as Entry<T>)) break;
      heap[at] = heap[parent] as Entry<T>;
      at = parent;
    }
    heap[at] = entry;
  }

  /** Takes out, in order, everything before `timestamp`. */
  *takeBefore(timestamp: number): Generator<T> {
    while (this.#heap.length > 0 && (this.#heap[0] as Entry<T>).timestamp < timestamp) yield this.#take();
  }

  #take(): T {
    const heap = this.#heap;
    const first = heap[0] as Entry<T>;
    const last = heap.pop() as Entry<T>;
    if (heap.length > 0) {
      let at = 0;
      for (;;) {
        let child = 2 * at + 1;
        if (child >= heap.length) break;
        if (child + 1 < heap.length && before(heap[child + 1] as Entry<T>, heap[child] as Entry<T>)) child += 1;
        if (!before(heap[child] as Entry<T>, last)) break;
        heap[at] = heap[child] as Entry<T>;
        at = child;
      }
      heap[at] = last;
    }
    return first.item;
  }
}
