/**
 * The walk of one money record through the real code, from the Kafka record to the output record: recorded while it runs, on
 * the simulated Kafka and Temporal. Each stop is a method of the product; it is watched, and what it does is not changed.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Committer } from '../../src/engine/bridge/committer.ts';
import { InputLanes } from '../../src/engine/ordering/input-lanes.ts';
import { MergeQueue } from '../../src/engine/ordering/merge-queue.ts';
import { OrderingBuffer } from '../../src/engine/ordering/ordering-buffer.ts';
import { SignalOutbox } from '../../src/engine/ordering/signal-outbox.ts';
import { ShardPublisher } from '../../src/engine/publish/shard-publisher.ts';
import { ShardSender } from '../../src/engine/publish/shard-sender.ts';
import { Redeliveries } from '../../src/engine/workflow/redelivery.ts';
import { INPUTS, type MoneyInput } from '../../src/money/domain/events.ts';
import { DedupEntries } from '../../src/money/domain/dedup.ts';
import { Inbox } from '../../src/engine/workflow/entity/inbox.ts';
import { SignalGroup } from '../../src/engine/workflow/entity/signal-group.ts';
import type { EventBatch, Life, Output } from '../../src/money/domain/types.ts';
import { EPOCH, Scheduler } from '../simulation/kernel/scheduler.ts';
import { scenarioOf } from '../simulation/scenario.ts';
import { SimSystem, TOPICS } from '../simulation/system.ts';

export interface Stop {
  /** `src/engine/…:12 InputLanes.offer` */
  readonly place: string;
  /** What it is for. */
  readonly what: string;
  readonly in: string;
  readonly out: string;
}

const USER = '0a7f5c36-6d0c-4f6e-9a52-0f8f1d3b2c11';
const SESSION = '5e55105e-5510-4510-8510-5e55105e5510';
const MONEY = '10e70000-0000-4000-8000-000000000001';
const at = (second: number) => new Date(EPOCH + second * 1_000).toISOString();
const head = (type: string, id: string, second: number) => ({ type, id, userId: USER, processedAt: at(second) });

/** What is in the topics: the user's address, its session, and the money that is followed. */
const RECORDS: readonly (readonly [MoneyInput, second: number, value: object])[] = [
  [
    'user',
    1,
    {
      ...head('ChangeAddressEvent', '20e70000-0000-4000-8000-000000000002', 1),
      address: 'Some street 1',
      residentCountryCode: 'DE',
      postalCode: '10115',
    },
  ],
  ['session', 2, { ...head('UserSessionCreatedEvent', SESSION, 2), clientCountryCode: 'UY' }],
  [
    'money',
    3,
    {
      ...head('PaymentEvent', MONEY, 3),
      userSessionId: SESSION,
      amount: 10.5,
      openingBalance: 0,
      closingBalance: 10.5,
      currency: 'EUR',
      moneyType: 'DEPOSIT',
      paymentRelatedThing: 'card',
      isOldMoneyEvent: false,
    },
  ],
];

type AnyMethod = (this: unknown, ...args: never[]) => unknown;
/** Of one stop: what it is for, what came in (undefined: this call is not of the money that is followed), and what went out. `self`: the object. */
interface Words<T, A extends readonly unknown[], R> {
  readonly what: string;
  readonly in: (args: A, self: T) => string | undefined;
  readonly out: (result: Awaited<R>, self: T, args: A) => string;
}

/** A class, as far as its methods can be watched. */
interface Class<T> {
  readonly name: string;
  readonly prototype: T;
}

/** Records calls of methods of classes, each stop once: for the first call whose words are of the money that is followed. */
class Recorder {
  readonly stops: (Stop & { readonly order: number })[] = [];
  readonly #undo: (() => void)[] = [];
  #calls = 0;

  /** `file`: of the class, from the root of the project. */
  watch<T extends object, N extends keyof T & string>(
    cls: Class<T>,
    file: string,
    method: N,
    words: Words<T, Parameters<Extract<T[N], AnyMethod>>, ReturnType<Extract<T[N], AnyMethod>>>,
  ): void {
    const prototype = cls.prototype as unknown as Record<string, AnyMethod>;
    const original = prototype[method]!;
    const place = `${file}:${lineOf(file, cls.name, method)} ${cls.name}.${method}`;
    const { stops } = this;
    const next = (): number => (this.#calls += 1);
    const said = words as unknown as Words<unknown, readonly unknown[], unknown>;
    prototype[method] = function watched(this: unknown, ...args: never[]): unknown {
      const order = next();
      const into = stops.some((stop) => stop.place === place) ? undefined : said.in(args, this);
      const result = original.apply(this, args);
      if (into === undefined) return result;
      const stop = (value: unknown): void =>
        void stops.push({ order, place, what: said.what, in: into, out: said.out(value, this, args) });
      if (result instanceof Promise) result.then(stop, () => undefined);
      else stop(result);
      return result;
    };
    this.#undo.push(() => void (prototype[method] = original));
  }

  end(): void {
    for (const undo of this.#undo) undo();
  }
}

/** Where a method is declared, 1 for the first line. Throws when it is not there under that name. */
function lineOf(file: string, className: string, method: string): number {
  const lines = readFileSync(fileURLToPath(new URL(`../../${file}`, import.meta.url)), 'utf8').split('\n');
  const from = lines.findIndex((line) => line.startsWith(`export class ${className}`));
  const index = lines.findIndex(
    (line, at) => at > from && new RegExp(`^  (async |\\*)?${method}(<[^>]*>)?\\(`).test(line),
  );
  if (from < 0 || index < 0) throw new Error(`the tour stops at ${className}.${method} of ${file}, which is not there`);
  return index + 1;
}

/** Runs the record through, and returns its stops in their order. */
export async function tour(): Promise<readonly Stop[]> {
  const recorder = new Recorder();
  watchAll(recorder);
  try {
    const scheduler = new Scheduler(1);
    const plain = scenarioOf(1, []);
    const scenario = {
      ...plain,
      partitions: 1,
      shards: 1,
      bridges: 1,
      workers: 1,
      faults: [],
      lostTasks: 0,
      eviction: 0,
      settings: { ...plain.settings, outOfOrderness: 2_000, idleTimeout: 5_000 },
    };
    const system = new SimSystem(
      scheduler,
      scenario,
      () => null,
      (topic, partition, offset) => `${topic}/${partition}/${offset}`,
    );
    for (const [input, second, value] of RECORDS) {
      system.kafka.append(input, 0, {
        key: `"${USER}"`,
        value: JSON.stringify(value),
        timestamp: EPOCH + second * 1_000,
      });
    }
    system.start('bridge');
    system.start('worker');
    const all = await scheduler.run(() => {
      system.collect();
      return system.outputs.length > 0 && recorder.stops.some(({ place }) => place.includes('Committer.commit'));
    }, 120_000);
    if (!all) {
      throw new Error(
        `the money did not come out; stops so far:\n${recorder.stops.map(({ place }) => place).join('\n')}`,
      );
    }
    return recorder.stops.toSorted((a, b) => a.order - b.order).map(({ order: _, ...stop }) => stop);
  } finally {
    recorder.end();
  }
}

function watchAll(recorder: Recorder): void {
  const isMoney = (offset: number, input: number): boolean => input === 2 && offset === 0;
  recorder.watch(InputLanes, 'src/engine/ordering/input-lanes.ts', 'offer', {
    what: 'The consumer group delivers a batch of a partition; its records are decoded and queued.',
    in: ([
      {
        topic,
        partition,
        records: [first],
      },
    ]) =>
      topic === 'money' && first !== undefined
        ? `${topic}/${partition}, offset ${first.offset}, key ${String(first.key)}, value ${short(String(first.value))}`
        : undefined,
    out: (_, self, [{ partition, next }]) =>
      `queued; the next fetch is at offset ${next}, ${self.waits(partition, 2) ? 'when its schema is known' : 'and nothing waits for a schema'}`,
  });
  recorder.watch(MergeQueue, 'src/engine/ordering/merge-queue.ts', 'take', {
    what: 'The inputs are read as one log, in the order of Kafka timestamps.',
    in: ([input], self) => (input === 2 ? `the oldest that is queued, of ${time(self.oldestTimestamp)}` : undefined),
    out: ({ offset, decoded }) =>
      `offset ${offset}: ${decoded.ok ? `an event of ${decoded.key} at ${time(decoded.ts)}` : `a dead letter, ${decoded.reason}`}`,
  });
  recorder.watch(OrderingBuffer, 'src/engine/ordering/ordering-buffer.ts', 'hold', {
    what: 'It is on time, and held until the watermark passes its event time.',
    in: ([{ input, offset, ts, before }]) =>
      isMoney(offset, input) ? `event time ${time(ts)}, watermark ${time(before.watermark)}` : undefined,
    out: (_, { length }) => `${length} held, in the order of event time`,
  });
  recorder.watch(SignalOutbox, 'src/engine/ordering/signal-outbox.ts', 'add', {
    what: 'The watermark has passed it: released.',
    in: ([{ input, offset, urgent }]) =>
      isMoney(offset, input) ? `money ${offset}, ${urgent ? 'urgent' : 'not urgent'}` : undefined,
    out: (_, { length }) => `${length} released and not acknowledged`,
  });
  recorder.watch(SignalOutbox, 'src/engine/ordering/signal-outbox.ts', 'take', {
    what: 'One signal takes what is ready of one user.',
    in: (_, { length }) => `${length} released and not acknowledged`,
    out: (flight) =>
      flight === undefined
        ? 'nothing'
        : `a signal for ${flight.key}: ${flight.records.map(({ input, offset }) => `${INPUTS[input]} ${offset}`).join(', ')}`,
  });
  recorder.watch(Inbox as Class<Inbox<Life, EventBatch>>, 'src/engine/workflow/entity/inbox.ts', 'signal', {
    what: 'In the workflow of the user the signal waits for its turn.',
    in: ([{ records, partition }]) =>
      `${records.length} records of partition ${partition}: ${records.map(({ event }) => event.type).join(', ')}`,
    out: (_, { mayApply }) => (mayApply ? 'it may be applied' : 'it waits for room'),
  });
  recorder.watch(
    SignalGroup as Class<SignalGroup<Life, EventBatch, Output>>,
    'src/engine/workflow/entity/signal-group.ts',
    'apply',
    {
      what: 'The pure fold of src/money/domain applies it to the state.',
      in: ([{ lowWater, records }]) => `${records.length} records, low water ${lowWater.join('/')}`,
      out: (_, { applied, signals }) => `${applied.length} output that waits for nothing, of ${signals} signal`,
    },
  );
  recorder.watch(Redeliveries, 'src/engine/workflow/redelivery.ts', 'noteApplied', {
    what: 'Each coordinate is applied once, however often it is signalled.',
    in: ([, { partition }, input, offset]) =>
      input === 'money' ? `${input}/${partition}, offset ${offset}` : undefined,
    out: (isNew) => (isNew ? 'not applied before' : 'dropped'),
  });
  recorder.watch(DedupEntries, 'src/money/domain/dedup.ts', 'add', {
    what: 'It is no duplicate, and its session is joined; its id is remembered.',
    in: ([id, ts]) => `money id ${id}, event time ${time(ts)}`,
    out: (_, { count, bytes }) => `${count} id remembered, ${bytes} bytes`,
  });
  recorder.watch(ShardPublisher, 'src/engine/publish/shard-publisher.ts', 'publish', {
    what: 'A local activity asks the owner of the shard to publish it, under a number.',
    in: ([{ stream, first, outputs }]) =>
      `${stream} ${first}: ${outputs.length} output, of money ${outputs[0]!.offset}`,
    out: (_, { keys }) => `committed; ${keys} key in the ledger`,
  });
  recorder.watch(ShardSender, 'src/engine/publish/shard-sender.ts', 'commit', {
    what: 'One Kafka transaction writes the output, and its number to the ledger.',
    in: ([, outputs, ledger]) =>
      `${outputs.length} output, ${ledger.length} ledger entry; headers ${Object.entries(outputs[0]!.headers ?? {})
        .map(([name, value]) => `${name}=${String(value)}`)
        .filter((header) => !header.startsWith('incarnation'))
        .join(' ')}`,
    out: (_, __, [, [output]]) => `${TOPICS.output}: ${String(output!.value)}`,
  });
  recorder.watch(Committer, 'src/engine/bridge/committer.ts', 'commit', {
    what: 'The bridge commits the place up to which all is acknowledged, with the watermark there.',
    in: ([triple]) =>
      triple.checkpoint().next[2]! > 0
        ? `next offsets ${triple.checkpoint().next.join('/')}, watermark ${time(triple.checkpoint().watermark)}`
        : undefined,
    out: (letters) => `committed, with ${letters?.length ?? 0} dead letters`,
  });
}

const time = (ms: number): string => (Number.isFinite(ms) ? new Date(ms).toISOString().slice(11, 23) : 'none yet');
const short = (text: string): string => (text.length > 100 ? `${text.slice(0, 100)}…` : text);

/** As it is printed, and shown in docs/tour.md. */
export function tourText(stops: readonly Stop[]): string {
  return stops
    .map(
      ({ place, what, in: into, out }, index) =>
        `${String(index + 1).padStart(2)}  ${what}\n    ${place}\n    in   ${into}\n    out  ${out}`,
    )
    .join('\n\n');
}

export const TOUR_PAGE = fileURLToPath(new URL('../../docs/tour.md', import.meta.url));

/** The page, with this walk in its block of code. */
export function withTour(page: string, text: string): string {
  return page.replace(/^```\n[^]*?^```$/m, () => `\`\`\`\n${text}\n\`\`\``);
}
