/**
 * Tells what happened, in order. What signals lead to is held until their outputs are published: until then the workflow may take
 * some of them back, and they come again (src/engine/workflow/entity/signal-group.ts). All else waits behind it.
 */
import type { EventBatch } from '../../../workflows/messages.ts';
import type { Happening } from './happening.ts';

/** A signal of the group that is being applied and published. */
interface Applied {
  readonly batch: EventBatch;
  readonly outputs: number;
  readonly told: readonly Happening[];
  /** The state after it, as the workflow remembers it. */
  memory?: string;
}

export class Telling {
  readonly #tell: (happening: Happening) => void;
  #group: Applied[] = [];
  #behind: Happening[] = [];

  constructor(tell: (happening: Happening) => void) {
    this.#tell = tell;
  }

  tell(happening: Happening): void {
    if (this.#group.length === 0) this.#tell(happening);
    else this.#behind.push(happening);
  }

  get holds(): boolean {
    return this.#group.length > 0;
  }

  /** Of the signals that are held. */
  get outputs(): number {
    return this.#group.reduce((sum, { outputs }) => sum + outputs, 0);
  }

  applied(batch: EventBatch, outputs: number, told: readonly Happening[]): void {
    this.#group.push({ batch, outputs, told });
  }

  /** Of the last signal. */
  remembered(memory: string): string {
    const last = this.#group.at(-1);
    if (last !== undefined) last.memory = memory;
    return memory;
  }

  /** Signals after this memory were not applied after all. Returns them, in order. */
  tookBack(memory: string): EventBatch[] {
    const last = this.#group.findIndex((signal) => signal.memory === memory);
    return this.#group.splice(last + 1).map(({ batch }) => batch);
  }

  /** No signal is taken back any more. */
  release(): void {
    const held = [...this.#group.splice(0).flatMap(({ told }) => told), ...this.#behind.splice(0)];
    for (const happening of held) this.#tell(happening);
  }
}
