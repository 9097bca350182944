import { CancellationScope } from '@temporalio/workflow';
import { plainEntity, type PlainEntity } from './plain.ts';
import { runEntity } from './run-entity.ts';
import { sdkPort } from './sdk-port.ts';

/**
 * The workflow of one key: export it under the name of its workflow type. It takes the signals of the bridge, runs the rules, publishes
 * what they emit exactly once, asks their questions, and continues as new, for ever. It cannot be cancelled: its state is
 * not to be lost by that. Whoever wants it gone terminates it.
 *
 * It runs on the task queue of its key's shard, in a worker of `createPublisher` with `entities`.
 */
export function entityWorkflow<S extends object, E, R extends object, Q = never, A = never>(
  rules: PlainEntity<S, E, R, Q, A>,
): (start: { readonly key: string }) => Promise<never> {
  const entity = plainEntity(rules);
  return (start) => CancellationScope.nonCancellable(() => runEntity(sdkPort(), entity, start));
}
