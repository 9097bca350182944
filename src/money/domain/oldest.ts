/** A heap: the first of its order comes out first. What is no longer wanted may stay in it; who takes looks whether it is. */
export class Oldest<T> {
  readonly #items: T[];
  readonly #order: (a: T, b: T) => number;

  constructor(order: (a: T, b: T) => number, items: Iterable<T> = []) {
    this.#order = order;
    // What is sorted is a heap.
    this.#items = [...items].sort(order);
  }

  get size(): number {
    return this.#items.length;
  }

  get first(): T | undefined {
    return this.#items[0];
  }

  add(item: T): void {
    const items = this.#items;
    const order = this.#order;
    let at = items.length;
    items.push(item);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (order(items[parent]!, item) <= 0) break;
      items[at] = items[parent]!;
      at = parent;
    }
    items[at] = item;
  }

  take(): T | undefined {
    const items = this.#items;
    const order = this.#order;
    const first = items[0];
    const last = items.pop();
    if (first === undefined || last === undefined || items.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && order(items[child + 1]!, items[child]!) < 0) child += 1;
      if (order(last, items[child]!) <= 0) break;
      items[at] = items[child]!;
      at = child;
    }
    items[at] = last;
    return first;
  }
}
