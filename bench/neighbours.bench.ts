/**
 * What others notice of what has to wait: `node --import tsx --test bench/neighbours.bench.ts`. Real Kafka and Temporal; every
 * output is judged by the model; what is printed are ratios of two runs, one after the other. SCALE (1) makes all of it smaller.
 *
 * - `unusable`: 10,000 unusable records among 10,000 good ones, on topics as `dev` makes them for records of 64 KiB, and where what is
 *   written goes to topics that take 100,000 bytes at a time.
 * - `giants`: one user with 100,000 sessions in a day, one with 50,000 money events that wait for a session, one with texts
 *   of half a megabyte; latency of 100 others, with them and without, also of each ten seconds. GIANTS: only some of them, as
 *   in `sessions,texts`.
 * - `hanging`: 12,000 users whose money is looked up at a service that never answers; rate of money that needs none, and
 *   when the lookups end. GIVE_UP_AFTER, ms; PACE: users a second that begin to wait, all at once when absent: what is given up at once
 *   comes out as fast as the Temporal server does tasks.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import { createClient, PATIENT_RETRY } from '../src/engine/kafka/kafkajs/client.ts';
import { createLogger } from '../src/engine/log.ts';
import { connectTemporal } from '../src/engine/temporal/connection.ts';
import { NO_ENCRYPTION } from '../src/engine/temporal/key-provider.ts';
import { generateTraffic } from '../src/tools/generate/traffic.ts';
import { trafficOptions } from '../src/tools/generate/options.ts';
import { eventually } from '../test/support/eventually.ts';
import type { SeenRecord } from '../test/support/topic-reader.ts';
import type { ProductProcess } from '../src/dev/product.ts';
import { money, record, timeEvents } from './events.ts';
import { readMetrics, sumOf } from './prometheus.ts';
import { startSystem, type ProducedRecord, type System } from '../test/support/system.ts';

const SCALE = Number(process.env['SCALE'] ?? 1);
const scaled = (count: number): number => Math.max(1, Math.round(count * SCALE));
const HOUR = 3_600_000;
const AWAITING = 'money_enrichment_money_awaiting_lookup';
const LONG = { timeout: 3_600_000 };

test('unusable records beside as many good ones', LONG, async (t) => {
  const good = scaled(10_000);
  const run = async (malformed: number, topicBytes?: number): Promise<number> => {
    const system = await startSystem(t, { partitions: 4, env: { ENRICHMENT_MAX_RECORD_BYTES: '65536' } });
    if (topicBytes !== undefined) await limitTopics(system, topicBytes);
    await system.produce(
      generateTraffic(
        trafficOptions({
          users: 500,
          events: Math.round(good / (1 - malformed)),
          seed: 3,
          start: Date.now() - 20 * HOUR,
          malformed,
          maxRecordBytes: 65_536,
        }),
      ),
    );
    const began = Date.now();
    await Promise.all([system.start('worker'), system.start('bridge')]);
    await system.matches(await system.expected(), LONG.timeout);
    return Date.now() - began;
  };
  const alone = await run(0);
  const beside = await run(0.5);
  const limited = await run(0.5, 100_000);
  t.diagnostic(
    `${good} good records: ${alone} ms; with as many unusable ones ${beside} ms: ${(beside / alone).toFixed(2)} times; on topics of 100,000 bytes ${limited} ms: ${(limited / alone).toFixed(2)} times`,
  );
});

test('the latency of 100 users beside three giants', LONG, async (t) => {
  const without = await neighbours(t, () => []);
  const beside = await neighbours(t, giants);
  t.diagnostic(
    `latency of others, ms: ${JSON.stringify(without)} alone, ${JSON.stringify(beside)} beside the giants: ${(beside.p50 / without.p50).toFixed(2)} and ${(beside.p99 / without.p99).toFixed(2)} times`,
  );
});

test('lookups that hang', LONG, async (t) => {
  const waiting = scaled(12_000);
  const others = scaled(20_000);
  const giveUpAfter = Number(process.env['GIVE_UP_AFTER'] ?? 600_000);
  const service = await hangingService(t);
  const env = {
    ENRICHMENT_SESSION_SERVICE_URL: service.url,
    ENRICHMENT_LOOKUP_GIVE_UP_AFTER: `${giveUpAfter}ms`,
    ENRICHMENT_OUT_OF_ORDERNESS: '1s',
    ENRICHMENT_IDLE_TIMEOUT: '1s',
  };
  const started = async (): Promise<{ readonly system: System; readonly worker: ProductProcess }> => {
    const system = await startSystem(t, { partitions: 4, env });
    const [worker] = await Promise.all([system.start('worker'), system.start('bridge')]);
    return { system, worker };
  };
  const undisturbed = await rateOf((await started()).system, others);

  const { system, worker } = await started();
  const givenUp = growing(system, ({ headers }) => headers['enrichment'] === 'incomplete');
  const users = Array.from({ length: waiting }, () => randomUUID());
  await atPace(users, Number(process.env['PACE'] ?? Infinity), (some) =>
    system.produce(
      some.map((user) => money(user, Date.now() - 5_000, { userSessionId: randomUUID(), isOldMoneyEvent: true })),
    ),
  );
  // Not all are asked for: while a service is silent, few are.
  await eventually(
    'all of them wait for an answer',
    // At a slow pace some are given up before the last ones begin to wait.
    async () => sumOf((await readMetrics(`${worker.httpUrl}/metrics`)) ?? [], AWAITING) + givenUp().length >= waiting,
    LONG.timeout,
  );
  t.diagnostic(`${service.asked.size} of ${waiting} sessions were asked for by then`);
  const beside = await rateOf(system, others);
  t.diagnostic(
    `money that needs no lookup: ${undisturbed.toFixed(0)}/s alone, ${beside.toFixed(0)}/s beside ${waiting} users that wait: ${(undisturbed / beside).toFixed(2)} times slower`,
  );
  await eventually('every lookup is given up', () => givenUp().length >= waiting, giveUpAfter + LONG.timeout);
  const after = await afterGivingUp(t, system, givenUp(), users, giveUpAfter);
  for (const what of ['ended', 'visible'] as const) {
    const times = quantiles(after.map((one) => one[what]));
    t.diagnostic(`ms after the give-up time until it is ${what}, of ${after.length} users: ${JSON.stringify(times)}`);
  }
  assert.equal(givenUp().length, waiting);
});

/** Batches of what the product writes are at most so many bytes. */
async function limitTopics({ config }: System, bytes: number): Promise<void> {
  const client = createClient(config.kafka!, createLogger({ level: 'silent' }), { retry: PATIENT_RETRY });
  const admin = client.kafka.admin();
  await admin.connect();
  const { output, deadLetter, ledger } = config.topics;
  await admin.alterConfigs({
    validateOnly: false,
    resources: [output, deadLetter, ledger].map((name) => ({
      type: 2, // a topic
      name,
      configEntries: [
        { name: 'max.message.bytes', value: String(bytes) },
        ...(name === ledger ? [{ name: 'cleanup.policy', value: 'compact' }] : []),
      ],
    })),
  });
  await admin.disconnect();
  client.destroy();
}

/** So many of them a second. */
async function atPace<T>(all: readonly T[], pace: number, use: (some: readonly T[]) => Promise<void>): Promise<void> {
  const began = Date.now();
  for (let done = 0; done < all.length;) {
    const due = Math.min(all.length, Math.ceil((pace * (Date.now() - began + 1_000)) / 1_000));
    if (due > done) await use(all.slice(done, due));
    done = Math.max(done, due);
    if (done < all.length) await pause(200);
  }
}

/** The outputs of a kind so far; none is looked at twice. */
function growing({ outputs }: System, isOne: (output: SeenRecord) => boolean): () => readonly SeenRecord[] {
  const found: SeenRecord[] = [];
  let seen = 0;
  return () => {
    for (; seen < outputs.length; seen += 1) if (isOne(outputs[seen]!)) found.push(outputs[seen]!);
    return found;
  };
}

/** Outputs a second of money without a session. */
async function rateOf(system: System, count: number): Promise<number> {
  const users = Array.from({ length: 200 }, () => randomUUID());
  const now = Date.now();
  await system.produce(
    Array.from({ length: count }, (_, n) => money(users[n % users.length]!, now - 10_000 + Math.floor(n / 10), {})),
  );
  const began = Date.now();
  const want = new Set(users.map((user) => `"${user}"`));
  const come = growing(system, ({ key }) => want.has(String(key)));
  await eventually('money without a session', () => come().length >= count, LONG.timeout);
  return (count * 1_000) / (Date.now() - began);
}

interface GivenUp {
  /** ms from the give-up time, as Temporal recorded it, to the end of the last call of the lookup. */
  readonly ended: number;
  /** To the output. */
  readonly visible: number;
}

/** Of some of the users. */
async function afterGivingUp(
  t: TestContext,
  system: System,
  outputs: readonly SeenRecord[],
  users: readonly string[],
  giveUpAfter: number,
): Promise<GivenUp[]> {
  const temporal = await connectTemporal(system.env, NO_ENCRYPTION);
  t.after(() => temporal.connection.close());
  const at = new Map(outputs.map(({ key, timestamp }) => [String(key), timestamp]));
  const found: GivenUp[] = [];
  for (const user of users.filter((_, index) => index % Math.ceil(users.length / 300) === 0)) {
    const { events } = await temporal.client.workflow.getHandle(`${system.config.appId}/${user}`).fetchHistory();
    const calls = (events ?? []).filter(
      ({ activityTaskScheduledEventAttributes: scheduled }) => scheduled?.activityType?.name === 'lookupSessions',
    );
    if (calls.length === 0) continue;
    const giveUpAt = msOf(calls[0]!.eventTime) + giveUpAfter;
    const last = calls.at(-1)!.eventId;
    const end = events?.find(
      ({ activityTaskTimedOutEventAttributes: out, activityTaskCompletedEventAttributes: done }) =>
        String((out ?? done)?.scheduledEventId) === String(last),
    );
    found.push({ ended: msOf(end?.eventTime) - giveUpAt, visible: at.get(`"${user}"`)! - giveUpAt });
  }
  return found;
}

function msOf(time: { readonly seconds?: unknown; readonly nanos?: number | null } | null | undefined): number {
  return Number(time?.seconds) * 1_000 + (time?.nanos ?? 0) / 1e6;
}

async function hangingService(t: TestContext): Promise<{ readonly url: string; readonly asked: ReadonlySet<string> }> {
  const asked = new Set<string>();
  const server = createServer((request) => void asked.add(request.url ?? ''));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

/** Latency of a steady trickle, from the write to the output; `crowd` is written before it begins. */
async function neighbours(t: TestContext, crowd: (now: number) => Iterable<ProducedRecord>): Promise<Quantiles> {
  const system = await startSystem(t, { partitions: 4, countOnly: true, env: { ENRICHMENT_OUT_OF_ORDERNESS: '1s' } });
  await Promise.all([system.start('worker'), system.start('bridge')]);
  const users = Array.from({ length: 100 }, () => randomUUID());
  const written = new Map<string, number>();
  const arrived = new Map<string, number>();
  let seen = 0;
  const look = setInterval(() => {
    for (; seen < system.outputs.length; seen += 1) {
      arrived.set((JSON.parse(String(system.outputs[seen]!.value)) as { money: { id: string } }).money.id, Date.now());
    }
  }, 20);
  t.after(() => clearInterval(look));
  await system.produce(crowd(Date.now()));
  for (let tick = 0; tick < scaled(600); tick += 1) {
    const now = Date.now();
    const id = randomUUID();
    written.set(id, now);
    // Time moves on in every partition of all inputs, or the watermark would wait for silence.
    await system.produce([
      money(users[tick % users.length]!, now, { id }),
      ...users.filter((_, index) => index % 10 === tick % 10).flatMap((user) => timeEvents(user, now)),
    ]);
    await pause(Math.max(0, 100 - (Date.now() - now)));
  }
  await eventually('all money of the others', () => [...written.keys()].every((id) => arrived.has(id)), 600_000);
  const latencies = [...written].map(([id, at]) => arrived.get(id)! - at);
  for (let from = 0; from < latencies.length; from += 100) {
    t.diagnostic(`from tick ${from}: ${JSON.stringify(quantiles(latencies.slice(from, from + 100)))}`);
  }
  return quantiles(latencies);
}

function* giants(now: number): Generator<ProducedRecord> {
  const [sessions, pending, texts] = [randomUUID(), randomUUID(), randomUUID()];
  const are = (process.env['GIANTS'] ?? 'sessions,pending,texts').split(',');
  const many = scaled(100_000);
  for (let n = 0; are.includes('sessions') && n < many; n += 1) {
    yield record('session', sessions, now - 24 * HOUR + Math.floor((n * 24 * HOUR) / many), {
      type: 'UserSessionCreatedEvent',
      id: randomUUID(),
      clientCountryCode: 'UY',
    });
  }
  for (let n = 0; are.includes('pending') && n < scaled(50_000); n += 1) {
    yield money(pending, now - 60_000 + n, { userSessionId: randomUUID() });
  }
  for (let n = 0; are.includes('texts') && n < scaled(20); n += 1) {
    const digits = `1${'0'.repeat(500_000)}`;
    const value = money(texts, now - 10_000 + n, {});
    yield { ...value, value: String(value.value).replace('"amount":1', `"amount":${digits}`) };
  }
}

interface Quantiles {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

function quantiles(values: readonly number[]): Quantiles {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN);
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}
