/**
 * Never change one of these: they are how a new version finds what an older one left on brokers and servers. Fencing, the
 * continuation of offsets and the delivery of signals depend on them. All but the ledger's begin with the app id, which access
 * lists use.
 */

/** The consumer group over the inputs; its committed offsets carry the watermarks. */
export function bridgeGroupOf(appId: string): string {
  return `${appId}-bridge`;
}

/** The transactional id that commits one partition of the inputs. */
export function bridgeTransactionalIdOf(appId: string, partition: number): string {
  return `${appId}-bridge-${partition}`;
}

/** The workflow of `key`; `name`: the key itself, or what stands for it where keys are secret. */
export function workflowIdOf(appId: string, name: string): string {
  return `${appId}/${name}`;
}

/** The task queue of a shard; a key's shard is its partition in the output topic. */
export function taskQueueOf(appId: string, shard: number): string {
  return `${appId}-shard-${shard}`;
}

/** The task queue of what the workflows of all shards ask the outside: polled by every worker process, whatever shards it owns. Its name is of the first application. */
export function questionsQueueOf(appId: string): string {
  return `${appId}-lookups`;
}

/** The same, seen from a shard's task queue; undefined for a queue that is none. */
export function questionsQueueBeside(taskQueue: string): string | undefined {
  const [, appId] = /^(.+)-shard-\d+$/.exec(taskQueue) ?? [];
  return appId === undefined ? undefined : questionsQueueOf(appId);
}

/** The transactional id of a shard's owner. */
export function shardTransactionalIdOf(appId: string, shard: number): string {
  return `${appId}-shard-${shard}`;
}

/** The consumer group whose members share the shards. */
export function shardGroupOf(appId: string): string {
  return `${appId}-shards`;
}

/** Compacted, as many partitions as the output topic. */
export function ledgerTopicOf(outputTopic: string): string {
  return `${outputTopic}-ledger`;
}

/** The group whose committed offsets tell how far a backfill into `outputTopic` is. Its transactional ids are those of {@link backfillTransactionalIdOf}. */
export function backfillGroupOf(appId: string, outputTopic: string): string {
  return `${appId}-backfill-${outputTopic}`;
}

/** The transactional id that writes one partition of a backfill. */
export function backfillTransactionalIdOf(groupId: string, partition: number): string {
  return `${groupId}-${partition}`;
}

/** The group whose committed offset tells where a bootstrap ends, and its transactional id. */
export function bootstrapGroupOf(appId: string): string {
  return `${appId}-bootstrap`;
}

/** The group whose committed offsets tell which dead letters were put back. */
export function retriedGroupOf(appId: string): string {
  return `${appId}-dead-letters-retried`;
}

/** By which the members of a consumer group share its partitions, as the first release named it. */
export const ASSIGNMENT_PROTOCOL = 'money-enrichment-sticky';
