/** What the broker answers instead of doing what was asked; the types are kafkajs' names of the protocol's codes. */
export class Refusal extends Error {
  readonly type: string;

  constructor(type: string) {
    super(`the broker answers ${type}`);
    this.type = type;
  }
}

/** No answer: the request may have been carried out or not. Its name is what kafkajs throws then. */
export class Unanswered extends Error {
  override readonly name = 'KafkaJSConnectionError';
}

/** Answers that mean: the same request, a moment later. */
const REPEATABLE: ReadonlySet<string> = new Set([
  'CONCURRENT_TRANSACTIONS',
  'GROUP_LOAD_IN_PROGRESS',
  'NOT_COORDINATOR_FOR_GROUP',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'LEADER_NOT_AVAILABLE',
  'NOT_ENOUGH_REPLICAS',
]);

export function isRepeatable(error: unknown): boolean {
  return error instanceof Refusal && REPEATABLE.has(error.type);
}

/** What the run has hit: a fault that never meets its window proves nothing. */
export interface KafkaCounts {
  transactionsCommitted: number;
  transactionsAborted: number;
  abortedByFence: number;
  abortedByTimeout: number;
  /** Processes that died while a transaction of theirs was open. */
  killsInsideTransaction: number;
  /** Requests of a holder of a transactional id after another one had taken it, or its transaction had timed out. */
  zombieWritesRefused: number;
  /** Commits that were decided though the process was not answered. */
  lostCommitAnswers: number;
  /** Commits that had not been decided when the process gave up waiting for the answer. */
  lostCommitRequests: number;
  rebalances: number;
  /** Members thrown out because nothing was heard of them. */
  evictions: number;
}

export function noCounts(): KafkaCounts {
  return {
    transactionsCommitted: 0,
    transactionsAborted: 0,
    abortedByFence: 0,
    abortedByTimeout: 0,
    killsInsideTransaction: 0,
    zombieWritesRefused: 0,
    lostCommitAnswers: 0,
    lostCommitRequests: 0,
    rebalances: 0,
    evictions: 0,
  };
}
