/** What goes wrong, and how it is made good again: at the latest by {@link heal}. */
import type { KafkaPort } from '../../src/kafka/port.ts';
import { bridgeGroupOf } from '../../src/bridge/group.ts';
import { shardGroupOf, transactionalIdOf } from '../../src/publish/shard.ts';
import { NO_FAULTS, type NetworkFaults, type SimServer } from './kernel/network.ts';
import { SimProcess } from './kernel/process.ts';
import type { Scheduler } from './kernel/scheduler.ts';
import type { Fault, PlannedFault, Scenario } from './scenario.ts';
import { APP, TOPICS, type Role, type SimSystem } from './system.ts';

const LOSSY: NetworkFaults = { ...NO_FAULTS, lostRequest: 0.1, lostAnswer: 0.15 };
const SLOW: NetworkFaults = { ...NO_FAULTS, slow: 0.3, longDelay: 8_000 };
/** ms: what lasts longer is an outage of the log that makes inputs idle. */
const LONGEST_OUTAGE = 12_000;

export class Faults {
  /** How often each was carried out; one that found nothing to hit is not counted. */
  readonly hits = new Map<Fault | 'zombie after takeover', number>();
  readonly #scheduler: Scheduler;
  readonly #scenario: Scenario;
  readonly #system: SimSystem;
  #healed = false;
  #intruders = 0;

  constructor(scheduler: Scheduler, scenario: Scenario, system: SimSystem) {
    this.#scheduler = scheduler;
    this.#scenario = scenario;
    this.#system = system;
    for (const planned of scenario.faults) scheduler.after(planned.at, null, () => this.#strike(planned));
  }

  /** No more faults: everything is up, connected and quick from now on. */
  heal(): void {
    this.#healed = true;
    const { kafka, temporal, sessions, running } = this.#system;
    for (const { process } of running) {
      process.resume();
      for (const server of [kafka.server, temporal.server, sessions]) server.join(process);
    }
    for (const server of [kafka.server, temporal.server, sessions]) server.faults = { ...NO_FAULTS };
    if (!kafka.server.up) kafka.start();
    if (!temporal.server.up) temporal.start();
    if (!sessions.up) sessions.start();
    temporal.options.lostTasks = 0;
  }

  #strike({ fault, lasts }: PlannedFault): void {
    if (this.#healed || !this.#carryOut(fault, lasts)) return;
    this.#scheduler.trace.add('fault', () => `${fault}, ${lasts} ms`);
    this.#hit(fault);
  }

  #hit(fault: Fault | 'zombie after takeover'): void {
    this.hits.set(fault, (this.hits.get(fault) ?? 0) + 1);
  }

  /** False when there was nothing to hit. */
  #carryOut(fault: Fault, lasts: number): boolean {
    const { kafka, temporal, sessions } = this.#system;
    switch (fault) {
      case 'kill bridge':
        return this.#kill('bridge');
      case 'kill worker':
        return this.#kill('worker');
      case 'pause bridge':
        return this.#pause('bridge', lasts);
      case 'pause worker':
        return this.#pause('worker', lasts);
      case 'stop bridge':
        return this.#stop('bridge');
      case 'stop worker':
        return this.#stop('worker');
      case 'kafka down':
        return this.#down(kafka.server, () => kafka.stop(), () => kafka.start(), lasts);
      case 'temporal down':
        return this.#down(temporal.server, () => temporal.stop(), () => temporal.start(), lasts);
      case 'sessions down':
        return this.#reliableSessions ? false : this.#down(sessions, () => sessions.stop(), () => sessions.start(), lasts);
      case 'cut from kafka':
        return this.#cut(kafka.server, lasts);
      case 'cut from temporal':
        return this.#cut(temporal.server, lasts);
      case 'rebalance bridges':
        return this.#now(() => kafka.rebalance(bridgeGroupOf(APP)));
      case 'rebalance workers':
        return this.#now(() => kafka.rebalance(shardGroupOf(APP)));
      case 'fence shard':
        return this.#fence(transactionalIdOf(APP, this.#scheduler.random.below(this.#scenario.shards)));
      case 'fence triple':
        return this.#fence(`${APP}-bridge-${this.#scheduler.random.below(this.#scenario.partitions)}`);
      case 'lossy kafka':
        return this.#network(kafka.server, LOSSY, lasts);
      case 'lossy temporal':
        return this.#network(temporal.server, LOSSY, lasts);
      case 'slow kafka':
        return this.#network(kafka.server, SLOW, lasts);
      case 'slow temporal':
        return this.#network(temporal.server, SLOW, lasts);
      case 'retention':
        return this.#now(() => {
          for (let shard = 0; shard < this.#scenario.shards; shard += 1) this.#system.expire(shard);
        });
      case 'compaction':
        return this.#now(() => kafka.compact(TOPICS.ledger));
      case 'one more worker':
        return this.#now(() => this.#system.start('worker'));
      default:
        return fault satisfies never;
    }
  }

  /** Those that are answered for are answered for at the first time of asking. */
  get #reliableSessions(): boolean {
    return this.#scenario.deadSessions > 0;
  }

  #now(run: () => void): boolean {
    run();
    return true;
  }

  #kill(role: Role): boolean {
    const hit = this.#system.pick(role);
    hit?.process.kill();
    return hit !== undefined;
  }

  #stop(role: Role): boolean {
    const hit = this.#system.pick(role);
    hit?.stop();
    return hit !== undefined;
  }

  #pause(role: Role, lasts: number): boolean {
    const hit = this.#system.pick(role);
    if (hit === undefined || !hit.process.running) return false;
    const { kafka } = this.#system;
    const before = kafka.counts.evictions;
    hit.process.pause();
    this.#later(lasts, () => {
      if (kafka.counts.evictions > before && hit.process.alive) this.#hit('zombie after takeover');
      hit.process.resume();
    });
    return true;
  }

  #down(server: SimServer, stop: () => void, start: () => void, lasts: number): boolean {
    if (!server.up) return false;
    stop();
    this.#later(Math.min(lasts, LONGEST_OUTAGE), () => {
      if (!server.up) start();
    });
    return true;
  }

  #cut(server: SimServer, lasts: number): boolean {
    const hit = this.#system.pick(this.#scheduler.random.pick(['bridge', 'worker']));
    if (hit === undefined) return false;
    server.cut(hit.process);
    this.#later(Math.min(lasts, LONGEST_OUTAGE), () => server.join(hit.process));
    return true;
  }

  #network(server: SimServer, faults: NetworkFaults, lasts: number): boolean {
    server.faults = { ...faults };
    this.#later(lasts, () => (server.faults = { ...NO_FAULTS }));
    return true;
  }

  /** Somebody else takes the transactional id, writes nothing and is gone. */
  #fence(transactionalId: string): boolean {
    const intruder = new SimProcess(this.#scheduler, `intruder-${(this.#intruders += 1)}`);
    const port: KafkaPort = this.#system.kafka.port(intruder);
    port.fence(transactionalId).then((producer) => producer.close(), () => undefined);
    return true;
  }

  #later(ms: number, run: () => void): void {
    this.#scheduler.after(ms, null, () => {
      if (!this.#healed) run();
    });
  }
}
