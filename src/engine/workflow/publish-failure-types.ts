/** Types of the ApplicationFailures that the publish activity throws: names on the wire, recorded in histories. */
export const PUBLISH_FAILURES = {
  /** Not retryable here: this process lost the shard; the workflow task must go to the shard's owner. */
  shardNotOwned: 'ShardNotOwned',
  /** Not retryable in a local activity: outputs are missing between the ledger and this request. */
  sequenceGap: 'SequenceGap',
  /** Not retryable in a local activity: a newer life of this workflow has published. */
  staleIncarnation: 'StaleIncarnation',
  /** Not retryable in a local activity: the ledger holds another record under this sequence number. */
  divergence: 'Divergence',
  /** Not retryable as it is: the workflow was reset. `details[0]`: the last sequence number of the stream, after which it may go on. */
  workflowReset: 'WorkflowReset',
  /** The broker does not take this very output. Not retryable in a local activity: the workflow task is tried again later. */
  outputRefused: 'OutputRefused',
  /** Retryable. */
  publishFailed: 'PublishFailed',
} as const;
