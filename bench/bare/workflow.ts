/** A workflow that gets signals and does nothing. The sink tells the process that a signal was handled, and leaves nothing in history. */
import { condition, defineSignal, proxySinks, setHandler, type Sinks } from '@temporalio/workflow';

export interface TouchSinks extends Sinks {
  readonly touches: { handled(): void };
}

const { touches } = proxySinks<TouchSinks>();

export async function bare(): Promise<void> {
  setHandler(defineSignal<[string]>('touch'), () => touches.handled());
  await condition(() => false);
}
