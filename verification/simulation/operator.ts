/**
 * A person who reads the log of the bridges and their `/readyz`. About a log that is not the one that was read they decide what the fault says, with the
 * function behind the command, some time after the bridge has said which one it is.
 */
import { acceptLogs, type Accepted } from '../../src/engine/bridge/accept-logs.ts';
import { bridgeGroupOf } from '../../src/engine/naming.ts';
import type { MoneyInput } from '../../src/money/domain/events.ts';
import type { KafkaClient } from '../../src/engine/kafka/port.ts';
import { SimProcess } from './kernel/process.ts';
import type { Scheduler } from './kernel/scheduler.ts';
import type { Line } from './said.ts';
import type { Scenario } from './scenario.ts';
import { APP, INPUT_TOPICS, type SimSystem } from './system.ts';

/** ms */
const THINKING = { from: 3_000, to: 45_000 };
const TRY_AGAIN = 5_000;
/** A log that was cut has to be short for a while before there is something to decide. */
const PATIENCE = 60;

export interface Decision {
  readonly topic: MoneyInput;
  readonly from: 'beginning' | 'end' | number;
  /** Told which partitions a bridge said it of. */
  readonly onSaid?: (partition: number) => void;
  /** Carried out, perhaps not for the first time. */
  readonly onDone?: () => void;
}

export class Operator {
  readonly #scheduler: Scheduler;
  readonly #scenario: Scenario;
  readonly #process: SimProcess;
  readonly #kafka: KafkaClient;
  readonly #decisions = new Map<MoneyInput, Decision>();
  /** What is said to wait, and how often nothing was found to decide about it. */
  readonly #undecided = new Map<MoneyInput, number>();
  /** By topic: since when there is something to decide about it, epoch ms. */
  readonly #since = new Map<MoneyInput, number>();
  /** By `topic/partition`: what the command said to have accepted; from when the log was another one until then, epoch ms. */
  readonly accepted = new Map<string, { readonly from: number; readonly to: number }>();
  #busy = false;
  decided = 0;

  constructor(scheduler: Scheduler, scenario: Scenario, { kafka, said }: SimSystem) {
    this.#scheduler = scheduler;
    this.#scenario = scenario;
    this.#process = new SimProcess(scheduler, 'operator');
    this.#kafka = kafka.client(this.#process);
    said.onLine((line) => this.#read(line));
  }

  /** What will be decided about this topic once it is said to wait for that. */
  willDecide(decision: Decision): void {
    this.#decisions.set(decision.topic, decision);
    this.#since.set(decision.topic, this.#scheduler.now);
  }

  #read({ reason, partition, msg }: Line): void {
    if (reason !== 'log' || partition === undefined) return;
    const found = [...this.#decisions.values()].filter(({ topic }) => msg.includes(`${topic}, partition ${partition}`));
    if (found.length === 0) throw new Error(`a partition waits for a person, and no log of it has changed: ${msg}`);
    for (const { topic, onSaid } of found) {
      this.#undecided.set(topic, 0);
      onSaid?.(partition);
    }
    if (this.#busy) return;
    this.#busy = true;
    const { random } = this.#scheduler;
    this.#scheduler.after(
      THINKING.from + random.below(THINKING.to - THINKING.from),
      this.#process,
      () => void this.#decide(),
    );
  }

  /** About all that waits, and once more if more is said to wait meanwhile. */
  async #decide(): Promise<void> {
    this.#busy = false;
    for (const { topic, from, onDone } of this.#decisions.values()) {
      if (!this.#undecided.has(topic)) continue;
      const accepted: Accepted[] = [];
      const hasDecided = await this.#accept(topic, from, (one) => {
        accepted.push(one);
        this.accepted.set(`${topic}/${one.partition}`, { from: this.#since.get(topic)!, to: this.#scheduler.now });
      });
      this.decided += accepted.length;
      if (accepted.length > 0) onDone?.();
      // Partitions that it could not decide about are asked for again.
      if (!hasDecided) continue;
      const tries = this.#undecided.get(topic)! + 1;
      if (accepted.length > 0 || tries > PATIENCE) this.#undecided.delete(topic);
      else this.#undecided.set(topic, tries);
    }
    if (this.#undecided.size === 0 || this.#busy) return;
    this.#busy = true;
    this.#scheduler.after(TRY_AGAIN, this.#process, () => void this.#decide());
  }
  /** False where some partition could not be decided about. */
  async #accept(topic: MoneyInput, from: Decision['from'], onAccepted: (one: Accepted) => void): Promise<boolean> {
    const { trace } = this.#scheduler;
    try {
      const accepted = await acceptLogs(this.#kafka, {
        appId: APP,
        groupId: bridgeGroupOf(APP),
        inputTopics: INPUT_TOPICS,
        partitions: this.#scenario.partitions,
        topics: [topic],
        from,
        dryRun: false,
        onAccepted,
      });
      trace.add(
        'operator',
        () =>
          `accepts ${topic}: ${accepted.map(({ partition, before, offset }) => `${partition} from ${before} to ${offset}`).join(', ') || 'nothing'}`,
      );
      return true;
    } catch (error) {
      trace.add('operator', () => `could not accept all of ${topic}: ${String(error)}`);
      return false;
    }
  }
}
