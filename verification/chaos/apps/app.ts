/** What is put under chaos: an application of the engine, with the traffic for it, and with what has to come out. */
import type { OutRecord } from '../../../src/engine/kafka/port.ts';
import type { AskedService } from '../asked-service.ts';
import type { Part } from '../outage.ts';
import type { Role } from '../plan.ts';
import type { JavaRecord } from '../reader.ts';

export const APPS = ['money', 'orders'] as const;
export type AppName = (typeof APPS)[number];

/** What an application is made for. */
export interface AppOptions {
  readonly seed: number;
  readonly users: number;
  /** Of every topic. */
  readonly partitions: number;
  /** Records a second, beats among them. */
  readonly rate: number;
  /** There is no more traffic after this time, seconds. */
  readonly seconds: number;
  /** Checkout of the product. */
  readonly product: string;
  /** For what it needs on disk. */
  readonly out: string;
  /** What will be away for so long (ms), if anything: silence must not be taken for idleness then. */
  readonly outage: { readonly part: Part; readonly lasts: number } | undefined;
}

export interface App {
  readonly appId: string;
  readonly topics: AppTopics;
  /** ms of silence after which a partition is taken for idle. */
  readonly idleTimeout: number;
  /** Creates its topics, each with so many partitions, replicated, with records that are kept for ever. */
  createTopics(brokers: readonly string[]): Promise<void>;
  readonly service: AskedService;
  readonly traffic: TrafficSource;
  start(role: Role, ends: Ends): Start;
  readonly metrics: {
    /** Partitions that a bridge reads; shards that a worker owns. */
    readonly held: Readonly<Record<Role, string>>;
    /** Records that a bridge has read. */
    readonly read?: string;
  };
  /** Event time (epoch ms) that an output shows to have come through; -Infinity: none. */
  eventTimeOf(output: JavaRecord): number;
  /** What has to come out of these logs. `outputs`: what did, where questions may have been given up: then both answers are right. */
  expectation(inputs: readonly JavaRecord[], outputs?: readonly JavaRecord[]): Expectation;
}

export interface AppTopics {
  /** In the order of equal times. */
  readonly inputs: readonly string[];
  readonly output: string;
  readonly deadLetter: string;
  readonly ledger: string;
}

export function topicsOf({ topics: { inputs, output, deadLetter, ledger } }: Pick<App, 'topics'>): string[] {
  return [...inputs, output, deadLetter, ledger];
}

/** What a process talks to. */
interface Ends {
  /** host:port,... */
  readonly brokers: string;
  /** host:port */
  readonly temporal: string;
  /** Port of 127.0.0.1. */
  readonly service: number;
}

export interface Start {
  /** The role is added to it. */
  readonly command: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  /** The variable that says the port of its /metrics and /readyz. */
  readonly portSetting: string;
}

/** Records that are written together. */
export interface Slice {
  /** Of all its records, epoch ms; larger than that of the slice before. */
  readonly timestamp: number;
  /** By input. */
  readonly records: readonly (readonly OutRecord[])[];
}

export interface TrafficSource {
  /** {@link SLICES_PER_SECOND} for each second of the wall clock; beats are among them, see traffic.ts. */
  slices(): Iterable<Slice>;
  /** What comes after the last slice: the last one of them but one brings out all that was before, whatever silence is waited for. */
  closing(eventTime: number): readonly Slice[];
}

export const SLICES_PER_SECOND = 4;

/** One output, or one dead letter. */
export interface Item {
  /** The same of no two. */
  readonly place: string;
  readonly content: string;
}

export interface Expectation {
  /** In the order of application. */
  readonly outputs: readonly Item[];
  /** What a record of the output topic stands for. */
  itemOf(output: JavaRecord): Item;
  /** Whether it comes out in the order of application among those of its key. */
  isInOrder(output: JavaRecord): boolean;
  /** Places of records of the inputs. */
  readonly deadLetters: readonly (Pick<JavaRecord, 'topic' | 'partition' | 'offset'> & { readonly reason: string })[];
  /** For the report, a line each. */
  readonly facts: readonly string[];
}
