/**
 * How long a group waits for a member that was killed, where nobody says it: 3 s, or the 6 s that brokers demand unless their
 * minimum (`group.min.session.timeout.ms`) is less. They say so at the first join only, which is repeated then.
 */
import { typesOf } from './errors.ts';

/** ms: what is asked for where nobody says it. */
export const SESSION_TIMEOUT = 3_000;
const BROKERS_LEAST = 6_000;

/** The part of kafkajs' ConsumerGroup that is used here (2.2.4: src/consumer/consumerGroup.js). */
interface Group {
  sessionTimeout: number;
  joinAndSync(): Promise<void>;
}

interface GroupOptions {
  readonly assigners: readonly object[];
}

/** Assigners, the only thing of ours that kafkajs hands on to a group, of members that take what the brokers take. */
const lenient = new WeakSet<object>();

/** `given`: what somebody said, which is asked for and nothing else. */
export function withMemberTimeout<Assigner extends object>(assigner: Assigner, given: number | undefined): Assigner {
  if (given === undefined) lenient.add(assigner);
  return assigner;
}

/** `Original`: kafkajs' class, of {@link Group}. */
export function withAcceptedTimeout<Class>(Original: Class): Class {
  return class extends (Original as new (options: GroupOptions) => Group) {
    readonly #lenient: boolean;

    constructor(options: GroupOptions) {
      super(options);
      this.#lenient = options.assigners.some((assigner) => lenient.has(assigner));
    }

    override async joinAndSync(): Promise<void> {
      try {
        await super.joinAndSync();
      } catch (error) {
        const refused = typesOf(error).includes('INVALID_SESSION_TIMEOUT');
        if (!refused || !this.#lenient || this.sessionTimeout >= BROKERS_LEAST) throw error;
        this.sessionTimeout = BROKERS_LEAST;
        await super.joinAndSync();
      }
    }
  } as Class;
}
