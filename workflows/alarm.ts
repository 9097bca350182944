import type { Engine } from './engine.ts';

/** One durable timer at the earliest of many deadlines. It may ring early; whoever hears it looks what is due. */
export class Alarm {
  private timer: { readonly at: number; readonly cancel: () => void } | undefined;
  private readonly engine: Pick<Engine, 'now' | 'timer'>;
  private readonly ring: () => void;

  constructor(engine: Pick<Engine, 'now' | 'timer'>, ring: () => void) {
    this.engine = engine;
    this.ring = ring;
  }

  /** `at`: epoch ms; undefined for none. A timer that rings earlier is kept: moving it costs more than a look. */
  set(at: number | undefined): void {
    if (at === undefined) return this.cancel();
    if (this.timer !== undefined && this.timer.at <= at) return;
    this.cancel();
    const cancel = this.engine.timer(Math.max(1, at - this.engine.now()), () => {
      this.timer = undefined;
      this.ring();
    });
    this.timer = { at, cancel };
  }

  private cancel(): void {
    this.timer?.cancel();
    this.timer = undefined;
  }
}
