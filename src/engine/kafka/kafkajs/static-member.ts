/**
 * Static membership (KIP-345), which kafkajs has not, though its requests can carry it. A member with an instance id that comes back
 * in time gets the partitions that it had, and nobody else of the group notices. So it does not leave the group
 * when it stops; who joins with the same id takes its place, and the one before is told so (FENCED_INSTANCE_ID).
 */

/** The part of kafkajs' Broker that is used here (2.2.4: src/broker/index.js). */
interface Broker {
  lookupRequest(apiKey: number, definition: unknown): (fields: object) => unknown;
}

/** The part of kafkajs' ConsumerGroup that is used here (2.2.4: src/consumer/consumerGroup.js). */
interface Group {
  memberId: string | null;
  leave(): Promise<void>;
}

interface GroupOptions {
  readonly cluster: { findGroupCoordinator(group: object): Promise<Broker> };
  readonly assigners: readonly object[];
}

/** By assigner, the only thing of ours that kafkajs hands on to a group: each member has its own. */
const instanceIds = new WeakMap<object, string>();

export function withInstanceId<Assigner extends object>(assigner: Assigner, instanceId: string | undefined): Assigner {
  if (instanceId !== undefined) instanceIds.set(assigner, instanceId);
  return assigner;
}

/** `Original`: kafkajs' class, of {@link Group}. */
export function withStaticMembers<Class>(Original: Class): Class {
  return class extends (Original as new (options: GroupOptions) => Group) {
    readonly #instanceId: string | undefined;

    constructor(options: GroupOptions) {
      super(options);
      const { cluster, assigners } = options;
      const instanceId = assigners.map((assigner) => instanceIds.get(assigner)).find((id) => id !== undefined);
      this.#instanceId = instanceId;
      if (instanceId === undefined) return;
      const find = cluster.findGroupCoordinator.bind(cluster);
      cluster.findGroupCoordinator = async (group) => saying(instanceId, await find(group));
    }

    override async leave(): Promise<void> {
      if (this.#instanceId === undefined) return super.leave();
      this.memberId = null;
    }
  } as Class;
}

/** The same broker; kafkajs' own methods leave the instance id out of what they ask it. */
function saying(groupInstanceId: string, broker: Broker): Broker {
  return Object.create(broker, {
    lookupRequest: {
      value: (apiKey: number, definition: unknown) => {
        const request = broker.lookupRequest(apiKey, definition);
        return (fields: object) => request({ ...fields, groupInstanceId });
      },
    },
  }) as Broker;
}
