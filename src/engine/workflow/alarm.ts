/** What an alarm needs of the workflow that it rings in. */
interface Timers {
  /** Epoch ms. */
  now(): number;
  /** Rings once, after `ms`; returns how to cancel it. */
  timer(ms: number, ring: () => void, summary?: string): () => void;
}

interface AlarmOptions {
  /** ms */
  readonly mayBeLate?: number;
  readonly patched?: () => boolean;
  readonly why?: string;
}

/** One durable timer at the earliest of many deadlines. It may ring early; whoever hears it looks what is due. */
export class Alarm {
  #timer: { readonly at: number; readonly cancel: () => void } | undefined;
  readonly #engine: Timers;
  readonly #ring: () => void;

  constructor(engine: Timers, ring: () => void) {
    this.#engine = engine;
    this.#ring = ring;
  }

  /**
   * `at`: epoch ms; undefined for none. A timer that rings earlier is kept: moving it costs more than a look. One that rings later is
   * kept as well when it does so by no more than `mayBeLate` ms, and `patched` allows it: it is asked only then. `why`: for people.
   */
  set(at: number | undefined, { mayBeLate = 0, patched = () => true, why }: AlarmOptions = {}): void {
    if (at === undefined) return this.#cancel();
    if (this.#timer !== undefined && this.#timer.at <= at) return;
    if (this.#timer !== undefined && this.#timer.at <= at + mayBeLate && patched()) return;
    this.#cancel();
    const cancel = this.#engine.timer(
      Math.max(1, at - this.#engine.now()),
      () => {
        this.#timer = undefined;
        this.#ring();
      },
      why,
    );
    this.#timer = { at, cancel };
  }

  #cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
