/** What runs in the simulated Temporal: the workflow of an application, and how large its payloads are. */
import type { TemporalPort } from '../../../src/engine/workflow/entity/port.ts';

export interface Program {
  /** Runs until it continues as new, which the port ends. `start`: its argument. */
  begin(port: TemporalPort, start: unknown): Promise<never>;
  /** Of what it is started with, or signalled, as the server would store it. `text`: its JSON. */
  bytesOf(what: 'Start' | 'EventBatch', text: string): number;
}

/** By name: what a worker runs for workflows. */
export type SimActivities = Readonly<Record<string, (request: never) => Promise<unknown>>>;
