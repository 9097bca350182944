/**
 * A member of a group that stays one when the group gets another coordinator. kafkajs asks who that is only when it joins: until
 * then it sends its heartbeats to the broker that was it. A member that nobody hears is put out of the group after its session
 * timeout, and all that it holds changes hands, though the member and the group are well.
 */
import { isUnreachable } from './errors.ts';

/** The part of kafkajs' ConsumerGroup that is used here (2.2.4: src/consumer/consumerGroup.js). */
interface HeartbeatingGroup {
  readonly groupId: string;
  readonly cluster: { findGroupCoordinator(group: { readonly groupId: string }): Promise<unknown> };
  coordinator: unknown;
  /** Epoch ms of the last heartbeat; the next one is `interval` later. */
  lastRequest: number;
  heartbeat(options: { readonly interval: number }): Promise<void>;
}

/** No broker answers, or none of those that do knows who it is. */
const NOBODY_KNOWS = 'KafkaJSGroupCoordinatorNotFound';
const MOVED: ReadonlySet<unknown> = new Set(['NOT_COORDINATOR_FOR_GROUP', 'GROUP_COORDINATOR_NOT_AVAILABLE']);

/** `Original`: kafkajs' class, of {@link HeartbeatingGroup}. */
export function withCurrentCoordinator<Class>(Original: Class): Class {
  return class extends (Original as new (options: never) => HeartbeatingGroup) {
    #finding: Promise<boolean> | undefined;

    /**
     * Errors: what the current coordinator says of this member, or of the one that cannot be reached, where nobody knows another:
     * kafkajs repeats the heartbeat then. For its own error of that it would end the consumer.
     */
    override async heartbeat(options: { readonly interval: number }): Promise<void> {
      // A clock that was set back would let the group hear nothing until it has come there again.
      if (this.lastRequest > Date.now()) this.lastRequest = 0;
      try {
        await super.heartbeat(options);
      } catch (error) {
        if (!isElsewhere(error)) throw error;
        this.#finding ??= this.#findCoordinator().finally(() => (this.#finding = undefined));
        if (!(await this.#finding)) throw error;
        await super.heartbeat(options);
      }
    }

    /** Whether there is one that says so. */
    async #findCoordinator(): Promise<boolean> {
      try {
        this.coordinator = await this.cluster.findGroupCoordinator({ groupId: this.groupId });
        return true;
      } catch (error) {
        if (isElsewhere(error) || (error as { name?: unknown }).name === NOBODY_KNOWS) return false;
        throw error;
      }
    }
  } as Class;
}

function isElsewhere(error: unknown): boolean {
  return isUnreachable(error) || MOVED.has((error as { type?: unknown }).type);
}
