import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { Client, Connection } from '@temporalio/client';
import { LOOPBACK } from '../../src/local/ports.ts';
import { dataConverter } from '../../src/payload-codec.ts';
import { eventually } from '../support/eventually.ts';
import { startSystem, type ProducedRecord } from '../support/system.ts';

const GIVE_UP_AFTER = 20_000;
/** ms after which it is late, on a machine that has other things to do; the promise is 5 s. */
const LATE = 15_000;
/** Of gRPC. */
const NOT_FOUND = 5;
const USERS = 100;
const OTHERS = 20;

const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

/** Takes connections and requests, and answers none. */
async function startHangingService(t: TestContext): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket)).resume();
  });
  server.listen(0, LOOPBACK);
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://${LOOPBACK}:${(server.address() as { port: number }).port}`;
}

function money(user: number, session: number | undefined, timestamp: number): ProducedRecord {
  const sessionField = session === undefined ? '' : `"userSessionId":"${id(session)}",`;
  const value =
    `{"type":"PaymentEvent","id":"${id(5_000 + user)}","userId":"${id(user)}","processedAt":"${new Date(timestamp).toISOString()}",${sessionField}` +
    `"amount":1,"openingBalance":1,"closingBalance":2,"currency":"EUR","moneyType":"BET","paymentRelatedThing":"x","isOldMoneyEvent":${session !== undefined}}`;
  return { input: 'money', key: `"${id(user)}"`, value, timestamp };
}

test('a session service that takes requests and never answers: its money comes out at the give-up time, and that of others at once', { timeout: 240_000 }, async (t) => {
  const url = await startHangingService(t);
  const system = await startSystem(t, {
    partitions: 2,
    countries: () => undefined,
    env: { ENRICHMENT_SESSION_SERVICE_URL: url, ENRICHMENT_LOOKUP_GIVE_UP_AFTER: `${GIVE_UP_AFTER}ms`, ENRICHMENT_IDLE_TIMEOUT: '1s' },
  });
  const connection = await Connection.connect({ address: system.env['TEMPORAL_ADDRESS']! });
  t.after(() => connection.close());
  const client = new Client({ connection, dataConverter });
  const start = Date.now() - 60_000;
  await Promise.all([system.start('worker'), system.start('bridge')]);
  await system.produce(Array.from({ length: USERS }, (_, n) => money(n, 1_000 + n, start + n)));
  await eventually('lookups are under way, and none is over', async () => (await asked()) > 0, 60_000);
  await system.produce(Array.from({ length: OTHERS }, (_, n) => money(USERS + n, undefined, start + 30_000 + n)));
  await eventually('the money without a session', () => system.outputs.length >= OTHERS, 60_000);
  const early = system.outputs.slice(0, OTHERS).filter(({ headers }) => headers['enrichment'] === 'incomplete').length;
  assert.equal(early, 0, 'money without a session does not wait for lookups of others');
  await system.matches(await system.expected());

  const waits: number[] = [];
  const ends = new Map<string, number>();
  for (let user = 0; user < USERS; user += 1) {
    const { scheduled, published, end } = await lookupOf(user);
    waits.push(published - scheduled);
    ends.set(end, (ends.get(end) ?? 0) + 1);
  }
  t.diagnostic(`money whose lookup hung came out ${Math.min(...waits)} to ${Math.max(...waits)} ms after it was asked for; how the lookups ended: ${JSON.stringify([...ends])}`);
  assert.ok(Math.min(...waits) >= GIVE_UP_AFTER, `given up after ${Math.min(...waits)} ms`);
  assert.ok(Math.max(...waits) <= GIVE_UP_AFTER + LATE, `given up after ${Math.max(...waits)} ms`);

  /** How many lookups were asked for. */
  async function asked(): Promise<number> {
    const histories = await Promise.all([0, 1, 2].map((user) => historyOf(user).catch(nothingYet)));
    return histories.filter((events) => events.some(({ activityTaskScheduledEventAttributes: at }) => at?.activityType?.name === 'lookupSessions')).length;
  }

  async function lookupOf(user: number): Promise<{ scheduled: number; published: number; end: string }> {
    const events = await historyOf(user);
    const scheduled = events.find(({ activityTaskScheduledEventAttributes: at }) => at?.activityType?.name === 'lookupSessions')!;
    const publish = events.filter(({ activityTaskScheduledEventAttributes: at }) => at?.activityType?.name === 'publish').at(-1)!;
    const published = events.find(({ activityTaskCompletedEventAttributes: at }) => at?.scheduledEventId?.eq(publish.eventId!))!;
    const failure = events.map((event) => event.activityTaskTimedOutEventAttributes?.failure ?? event.activityTaskFailedEventAttributes?.failure).find(Boolean);
    const end = failure ? `${failure.message} < ${failure.cause?.applicationFailureInfo?.type}` : 'answered';
    return { scheduled: msOf(scheduled.eventTime), published: msOf(published.eventTime), end };
  }

  async function historyOf(user: number) {
    return client.workflow.getHandle(`${system.config.appId}/${id(user)}`).fetchHistory().then(({ events }) => events ?? []);
  }
});

function msOf(time: { seconds?: { toNumber(): number } | null; nanos?: number | null } | null | undefined): number {
  return time!.seconds!.toNumber() * 1_000 + Math.floor((time!.nanos ?? 0) / 1_000_000);
}

function nothingYet(error: unknown): never[] {
  if ((error as { code?: unknown }).code === NOT_FOUND) return [];
  throw error;
}
