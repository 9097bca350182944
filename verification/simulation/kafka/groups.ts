/**
 * The group coordinator. A rebalance goes through as soon as all members that are known have joined again; one of which
 * nothing is heard is thrown out after the session time-out, whether it is dead, paused or cut off. Members learn that
 * they have to join again with a heartbeat of theirs, each at another moment.
 *
 * Heartbeats are not sent: a check every two seconds or so looks who could have sent one.
 */
import { assignPartitions, commonPartitionCount } from '../../../src/engine/kafka/kafkajs/assigner.ts';
import type { SimProcess } from '../kernel/process.ts';
import type { Scheduled, Scheduler } from '../kernel/scheduler.ts';
import { Refusal } from './answers.ts';
import type { Broker } from './broker.ts';

/** ms: of brokers that take no less (src/engine/kafka/kafkajs/member-timeout.ts); the others are of group-member.ts beside it. */
const SESSION_TIMEOUT = 6_000;
const REBALANCE_TIMEOUT = 20_000;
const HEARTBEAT_INTERVAL = 300;
/** ms between two looks at the sessions */
const CHECK = { least: 1_500, most: 2_500 };
/** ms until an assignment reaches its member: mostly few. */
const SYNC_DELAY = 1_500;
/** ms until a member notices that the broker is gone */
const NOTICED = 2_000;

/** The member, as far as the coordinator deals with it. */
export interface GroupClient {
  readonly process: SimProcess;
  readonly groupId: string;
  readonly topics: readonly string[];
  /** The id that it believes it has; empty before it has one. */
  readonly memberId: string;
  /** Whether it can send a heartbeat now. */
  readonly heard: boolean;
  readonly stopped: boolean;
  /** A heartbeat of it was answered so that it has to join again. False while it is joining: its next heartbeat tells it again. */
  told(): boolean;
  assigned(assignment: Assignment): void;
  /** No broker can be reached: kafkajs gives the consumer up at once when it has just lost its only one. */
  abandoned(): void;
}

export interface Assignment {
  readonly memberId: string;
  readonly generation: number;
  readonly partitions: readonly number[];
}

export interface Joined {
  readonly memberId: string;
  /** The assignment is of a later generation than this. */
  readonly after: number;
}

interface Member {
  readonly id: string;
  readonly client: GroupClient;
  claim: readonly number[];
  heardAt: number;
  /** Waits for the rebalance to go through. */
  joined: boolean;
}

interface Group {
  readonly id: string;
  generation: number;
  /** A rebalance is under way: until when it is waited for those who have not joined again. */
  rebalancing: Scheduled | undefined;
  readonly members: Map<string, Member>;
  /** All that ever joined and have not stopped. */
  readonly clients: Set<GroupClient>;
  checking: boolean;
}

export class Groups {
  readonly #scheduler: Scheduler;
  readonly #broker: Broker;
  readonly #groups = new Map<string, Group>();
  #up = true;

  constructor(scheduler: Scheduler, broker: Broker) {
    this.#scheduler = scheduler;
    this.#broker = broker;
  }

  stop(): void {
    this.#up = false;
    for (const group of this.#groups.values()) {
      group.rebalancing?.cancel();
      for (const client of group.clients) {
        this.#scheduler.after(this.#scheduler.random.below(NOTICED), client.process, () => {
          if (!client.stopped && !client.heard && this.#scheduler.random.chance(0.5)) client.abandoned();
        });
      }
    }
  }

  /** Who was a member is on disk if it was written in time. */
  start(): void {
    this.#up = true;
    for (const group of this.#groups.values()) {
      const written = group.rebalancing === undefined && this.#scheduler.random.chance(0.5);
      group.rebalancing = undefined;
      if (!written) group.members.clear();
      for (const member of group.members.values()) member.heardAt = this.#scheduler.now;
      if (!written) for (const client of group.clients) this.#tell(client);
      this.#check(group);
    }
  }

  /** The assignment follows when all have joined. */
  join(client: GroupClient, memberId: string, claim: readonly number[]): Joined {
    const group = this.#group(client.groupId);
    group.clients.add(client);
    let member = group.members.get(memberId);
    if (member === undefined) {
      if (memberId !== '') throw new Refusal('UNKNOWN_MEMBER_ID');
      const id = `${client.process.name}-${this.#scheduler.random.uint32().toString(16).padStart(8, '0')}`;
      member = { id, client, claim, heardAt: this.#scheduler.now, joined: false };
      group.members.set(id, member);
    }
    this.#prepare(group);
    Object.assign(member, { claim, heardAt: this.#scheduler.now, joined: true });
    const after = group.generation;
    this.#complete(group);
    this.#check(group);
    return { memberId: member.id, after };
  }

  leave(client: GroupClient, memberId: string): void {
    const group = this.#group(client.groupId);
    group.clients.delete(client);
    if (group.members.delete(memberId)) this.#prepare(group);
    this.#complete(group);
  }

  rebalance(groupId: string): void {
    if (this.#up) this.#prepare(this.#group(groupId));
  }

  isCurrent(groupId: string, memberId: string, generation: number): boolean {
    const group = this.#group(groupId);
    return group.members.has(memberId) && group.generation === generation && group.rebalancing === undefined;
  }

  #group(id: string): Group {
    let group = this.#groups.get(id);
    if (group === undefined) {
      group = { id, generation: 0, rebalancing: undefined, members: new Map(), clients: new Set(), checking: false };
      this.#groups.set(id, group);
    }
    return group;
  }

  #prepare(group: Group): void {
    if (group.rebalancing !== undefined || group.members.size === 0) return;
    for (const member of group.members.values()) {
      member.joined = false;
      this.#tell(member.client, () => !member.joined);
    }
    group.rebalancing = this.#scheduler.after(REBALANCE_TIMEOUT, null, () => {
      for (const member of [...group.members.values()]) {
        if (member.joined) continue;
        group.members.delete(member.id);
        if (member.client.memberId === member.id) this.#tell(member.client);
      }
      this.#complete(group);
    });
  }

  #complete(group: Group): void {
    if (group.rebalancing === undefined) return;
    const members = [...group.members.values()];
    if (!members.every(({ joined }) => joined)) return;
    group.rebalancing.cancel();
    group.rebalancing = undefined;
    const [first] = members;
    if (first === undefined) return;
    group.generation += 1;
    this.#broker.counts.rebalances += 1;
    const { generation } = group;
    const topics = first.client.topics.map((topic) => ({ topic, partitions: this.#broker.partitions(topic).length }));
    const assignment = assignPartitions(
      commonPartitionCount(topics),
      members.map(({ id, claim }) => ({ id, owned: claim })),
    );
    this.#scheduler.trace.add(
      'kafka',
      () =>
        `${group.id} generation ${generation}: ${[...assignment].map(([id, partitions]) => `${id} [${partitions.join(' ')}]`).join(', ')}`,
    );
    for (const { id, client } of members) {
      this.#scheduler.after(1 + this.#scheduler.skewed() * SYNC_DELAY, client.process, () => {
        if (client.stopped) return;
        if (client.heard) client.assigned({ memberId: id, generation, partitions: assignment.get(id) ?? [] });
        else this.#tell(client);
      });
    }
  }

  /** It learns it with its next heartbeat. */
  #tell(client: GroupClient, necessary: () => boolean = () => true): void {
    this.#scheduler.after(this.#scheduler.random.below(HEARTBEAT_INTERVAL), client.process, () => {
      if (client.stopped || !necessary()) return;
      if (!client.heard || !client.told()) this.#tell(client, necessary);
    });
  }

  #check(group: Group): void {
    if (group.checking || group.members.size === 0 || !this.#up) return;
    group.checking = true;
    this.#scheduler.after(CHECK.least + this.#scheduler.random.below(CHECK.most - CHECK.least), null, () => {
      group.checking = false;
      if (this.#up) for (const member of [...group.members.values()]) this.#checkSession(group, member);
      this.#check(group);
    });
  }

  #checkSession(group: Group, member: Member): void {
    const { client, id } = member;
    if (client.process.running && client.heard && client.memberId === id && !client.stopped) {
      member.heardAt = this.#scheduler.now;
    }
    if (this.#scheduler.now - member.heardAt < SESSION_TIMEOUT) return;
    group.members.delete(id);
    this.#broker.counts.evictions += 1;
    this.#scheduler.trace.add('kafka', () => `${group.id}: nothing heard of ${id}`);
    if (client.memberId === id) this.#tell(client);
    this.#prepare(group);
    this.#complete(group);
  }
}
