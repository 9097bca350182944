import type { Identified, PublishAnswer, Stream } from '../publish-request.ts';
import type { Recent } from './entity.ts';

/** For people: the last outputs of this run, the newest first. Nothing follows from them, and the next run knows none. */
const SHOWN = 5;

export class RecentOutputs<O extends Identified> {
  #outputs: readonly Recent<O>[] = [];

  get outputs(): readonly Recent<O>[] {
    return this.#outputs;
  }

  /** In the order in which they were published. */
  published(stream: Stream, outputs: readonly O[], answer: PublishAnswer | void): void {
    const first = answer?.at;
    const from = Math.max(0, outputs.length - SHOWN);
    const newest = outputs
      .slice(from)
      .map((output, index) => ({ output, stream, at: first === undefined ? undefined : first + from + index }))
      .reverse();
    if (newest.length > 0) this.#outputs = [...newest, ...this.#outputs].slice(0, SHOWN);
  }
}
