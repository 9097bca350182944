/** One shard's publisher by itself: what it answers, what it tells, and when it gives up. Its protocol is in exactly-once.test.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Output } from '../../../activities/contract.ts';
import { CodedError } from '../../../src/engine/errors.ts';
import { bytesOf } from '../../../src/engine/kafka/port.ts';
import { RefusedBatch, TopicRooms } from '../../../src/engine/kafka/topic-rooms.ts';
import { recordsOf } from '../../../src/engine/publish/group-commit.ts';
import type { CommitLimits, EncodeOutput } from '../../../src/engine/publish/group-commit.ts';
import type { ShardEvent } from '../../../src/engine/publish/publisher.ts';
import { ShardPublisher } from '../../../src/engine/publish/shard-publisher.ts';
import { KafkaInMemory } from '../../../src/library/testing/kafka/kafka-in-memory.ts';
import { eventually } from '../../support/eventually.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { encode, output, request, SECOND_LIFE, withCode } from '../../support/publishing.ts';

const soon = async (turns = 50): Promise<void> => {
  for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

/** Notes how long it was asked to sleep. */
class NotingClock extends ManualClock {
  readonly sleeps: number[] = [];
  override sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.sleeps.push(ms);
    return super.sleep(ms, signal);
  }
}

interface Given {
  readonly limits?: CommitLimits;
  readonly settings?: Record<string, string>;
  readonly settingsVisible?: boolean;
  readonly encode?: EncodeOutput<Output>;
  readonly onEvent?: ((event: ShardEvent) => void) | undefined;
}

function given({ limits, settings = {}, settingsVisible = true, ...more }: Given = {}) {
  const kafka = new KafkaInMemory();
  kafka.settingsVisible = settingsVisible;
  kafka.createTopic('out', 1);
  kafka.createTopic('ledger', 1);
  kafka.settings.set('out', settings);
  const clock = new NotingClock();
  const port = kafka.port('p');
  const rooms = new TopicRooms(port, clock);
  const events: ShardEvent[] = [];
  const starts: (number | null)[] = [];
  /** Counts the starts; only for the last one batches are brought. */
  let start = 0;
  let reading = false;
  let ids = 0;
  const publisher = new ShardPublisher({
    shard: 0,
    transactionalId: 'shard-0',
    outputTopic: 'out',
    ledgerTopic: 'ledger',
    kafka: port,
    rooms,
    clock,
    host: 'h',
    newId: () => `p-${(ids += 1)}`,
    encode: more.encode ?? encode,
    ...('onEvent' in more
      ? more.onEvent && { onEvent: more.onEvent }
      : { onEvent: (event: ShardEvent) => void events.push(event) }),
    ...(limits && { limits }),
    feed: {
      start: async (from) => {
        starts.push(from);
        let position = from ?? 0;
        reading = true;
        const mine = (start += 1);
        const deliver = (): void => {
          if (!reading || mine !== start) return;
          const records = kafka.committed('ledger').filter(({ offset }) => offset >= position);
          const next = records.length === 0 ? position : records.at(-1)!.offset + 1;
          publisher.onLedger({ topic: 'ledger', partition: 0, fetchedFrom: position, next, end: next, records });
          position = next;
          setImmediate(deliver);
        };
        setImmediate(deliver);
        return position;
      },
      stop: () => void (reading = false),
    },
  });
  return {
    kafka,
    clock,
    rooms,
    publisher,
    events,
    /** From where the ledger was read, at each opening. */
    starts,
    ofType: <T extends ShardEvent['type']>(type: T) =>
      events.filter((event): event is Extract<ShardEvent, { type: T }> => event.type === type),
    published: () => kafka.committed('out').map(({ value }) => String(value)),
  };
}

async function opened(options?: Given) {
  const all = given(options);
  await all.publisher.open();
  return all;
}

function gate() {
  let arrive = (): void => undefined;
  let open = (): void => undefined;
  const reached = new Promise<void>((resolve) => (arrive = resolve));
  const released = new Promise<void>((resolve) => (open = resolve));
  return { reached, open: () => open(), pass: () => (arrive(), released) };
}

/** The first commit waits for the gate; of it and of those after it nothing else is changed. */
function firstCommitWaits(kafka: KafkaInMemory): ReturnType<typeof gate> {
  const commit = gate();
  let first = true;
  kafka.intercept = async ({ api }, when) => {
    if (api !== 'commit' || when !== 'before' || !first) return;
    first = false;
    await commit.pass();
  };
  return commit;
}

test('a shard is opening, then ready, then closed, and says so', async () => {
  const { publisher, kafka, clock, events } = given();
  kafka.intercept = ({ api }, when) => {
    if (api === 'fence' && when === 'before') clock.advance(300);
  };
  clock.advance(4_000);
  assert.equal(publisher.state, 'opening');
  const open = publisher.open();
  assert.equal(publisher.state, 'opening');
  await open;
  assert.deepEqual([publisher.state, publisher.keys], ['ready', 0]);
  await publisher.close();
  assert.equal(publisher.state, 'closed');
  assert.deepEqual(events, [
    { type: 'opened', shard: 0, keys: 0, ms: 300 },
    { type: 'closed', shard: 0 },
  ]);
  await publisher.close();
  await assert.rejects(publisher.publish(request('u', 1, 1)), {
    code: 'SHARD_NOT_OWNED',
    message: 'this process does not own shard 0 any more',
  });
  assert.equal(events.length, 2);
});

test('one that is closed before it is ready is not opened', async () => {
  const { publisher, kafka, events } = given();
  const fence = gate();
  kafka.intercept = async ({ api }, when) => {
    if (api === 'fence' && when === 'before') await fence.pass();
  };
  const open = publisher.open();
  await fence.reached;
  const early = publisher.publish(request('u', 1, 1));
  const closed = publisher.close();
  await assert.rejects(open, withCode('SHARD_NOT_OWNED'));
  await assert.rejects(early, withCode('SHARD_NOT_OWNED'));
  fence.open();
  await closed;
  assert.deepEqual([publisher.state, events], ['closed', [{ type: 'closed', shard: 0 }]]);
});

test('one that is fenced is lost for ever, with the reason', async () => {
  const { publisher, kafka, events } = await opened();
  await kafka.port('stranger').fence('shard-0');
  await assert.rejects(publisher.publish(request('u', 1, 1)), withCode('SHARD_NOT_OWNED'));
  await publisher.close();
  assert.equal(publisher.state, 'lost');
  assert.deepEqual(
    events.map(({ type }) => type),
    ['opened', 'lost', 'closed'],
  );
  const [, lost] = events;
  assert.ok(lost?.type === 'lost' && withCode('FENCED')(lost.error));
});

test('who is told of a loss has its cause', async () => {
  const { publisher, kafka } = given();
  const cause = new CodedError('FENCED', 'a later owner');
  kafka.intercept = () => {
    throw cause;
  };
  const error = await publisher.open().catch((reason: unknown) => reason);
  assert.equal((error as Error).cause, cause);
});

test('one that is fenced while it opens is lost', async () => {
  const { publisher, kafka, events } = given();
  kafka.intercept = ({ api }, when) => {
    if (api === 'fence' && when === 'before') throw new CodedError('FENCED', 'a later owner');
  };
  await assert.rejects(publisher.open(), {
    code: 'SHARD_NOT_OWNED',
    message: 'this process does not own shard 0 any more: a later owner',
  });
  await publisher.close();
  assert.equal(publisher.state, 'lost');
  assert.deepEqual(
    events.map(({ type }) => type),
    ['lost', 'closed'],
  );
});

test('a commit is told with what went into it', async () => {
  const { publisher, kafka, clock, ofType } = await opened();
  const commit = firstCommitWaits(kafka);
  const before = publisher.publish(request('other', 1, 1));
  await commit.reached;
  const both = [publisher.publish(request('u', 1, 2)), publisher.publish(request('v', 1, 1))];
  clock.advance(700);
  commit.open();
  await Promise.all([before, ...both]);
  const [first, second] = ofType('committed');
  assert.deepEqual(
    [first!.shard, first!.outputs, first!.keys, first!.requests, first!.ledgerKeys, first!.ms],
    [0, 1, 1, 1, 1, 700],
  );
  assert.deepEqual(
    [second!.outputs, second!.keys, second!.requests, second!.ledgerKeys, second!.last.value, second!.ms],
    [3, 2, 2, 3, 'v:101', 0],
  );
  assert.equal(publisher.keys, 3);
});

test('a request is answered with the offset of its first output, where this call wrote all of it', async () => {
  const { publisher, kafka } = await opened();
  const commit = firstCommitWaits(kafka);
  const first = publisher.publish(request('u', 1, 2));
  await commit.reached;
  const [partly, other, rider] = [
    publisher.publish(request('u', 2, 4)),
    publisher.publish(request('v', 1, 1)),
    publisher.publish(request('v', 1, 1)),
  ];
  commit.open();
  const offsetOf = (value: string): number | undefined =>
    kafka.committed('out').find((record) => String(record.value) === value)?.offset;
  assert.equal(await first, offsetOf('u:101'));
  assert.deepEqual([await partly, await other, await rider], [undefined, offsetOf('v:101'), undefined]);
  assert.equal(await publisher.publish(request('u', 1, 2)), undefined);
});

test('repeats are counted, those that a commit has overtaken together', async () => {
  const { publisher, kafka, ofType, published } = await opened();
  const commit = firstCommitWaits(kafka);
  const first = publisher.publish(request('u', 1, 1));
  await commit.reached;
  const repeats = [publisher.publish(request('u', 1, 1)), publisher.publish(request('u', 1, 1))];
  commit.open();
  await Promise.all([first, ...repeats]);
  assert.deepEqual(ofType('repeated'), [{ type: 'repeated', shard: 0, requests: 2 }]);
  await publisher.publish(request('u', 1, 1));
  assert.deepEqual(ofType('repeated').slice(1), [{ type: 'repeated', shard: 0, requests: 1 }]);
  await soon();
  assert.deepEqual([published(), ofType('committed').length], [['u:101'], 1]);
});

test('what is refused is told with its key; a reset, which the workflow mends itself, is noticed instead', async () => {
  const { publisher, kafka, ofType } = await opened();
  const run = { number: 1, id: 'first' };
  await publisher.publish({ ...request('u', 1, 2), run });
  const divergent = { ...request('u', 2, 2), run, outputs: [output('u', 777)] };
  const refused = await publisher.publish(divergent).catch((error: unknown) => error);
  assert.ok(withCode('DIVERGENCE')(refused));
  assert.deepEqual(ofType('refused'), [{ type: 'refused', shard: 0, key: 'u', error: refused }]);
  const reset = { ...divergent, run: { number: 1, id: 'anew' } };
  await assert.rejects(publisher.publish(reset), withCode('WORKFLOW_RESET'));
  assert.equal(ofType('refused').length, 1);
  assert.deepEqual(ofType('noticed'), [{ type: 'noticed', shard: 0, key: 'u', notice: 'reset' }]);
  assert.equal(kafka.fences.length, 1, 'only a gap may be ignorance');
});

test('a workflow that began anew is noticed by a repeat, too', async () => {
  const { publisher, ofType } = await opened();
  await publisher.publish(request('u', 1, 1));
  await publisher.publish(request('u', 1, 1, { incarnation: SECOND_LIFE }));
  await publisher.publish(request('u', 1, 1, { incarnation: SECOND_LIFE }));
  assert.deepEqual(ofType('noticed'), [{ type: 'noticed', shard: 0, key: 'u', notice: 'began-anew' }]);
});

test('sequence numbers are whole and begin at 1', async () => {
  const { publisher, published } = await opened();
  for (const first of [0, -1, 1.5, NaN]) {
    await assert.rejects(publisher.publish({ ...request('u', 1, 1), first }), {
      code: 'SEQUENCE_GAP',
      message: /sequence numbers begin at 1$/,
    });
  }
  assert.deepEqual(published(), []);
});

test('a request that was in six failed transactions is given back, and others with it in none after the second', async () => {
  const { publisher, kafka, ofType, published } = await opened();
  const sent: string[] = [];
  kafka.intercept = ({ api, topic, records }, when) => {
    if (api !== 'send' || topic !== 'out' || when !== 'before') return;
    sent.push(records!.map(({ value }) => String(value)).join(' '));
    if (sent.at(-1)!.includes('poison')) throw new CodedError('KAFKA', 'connection lost');
  };
  const poison = publisher.publish(request('poison', 1, 1));
  const fine = publisher.publish(request('u', 1, 1));
  await assert.rejects(poison, {
    code: 'KAFKA',
    message: /^applied outputs 1 of .*: not published in time: connection lost$/,
  });
  await fine;
  assert.equal(sent.filter((values) => values.includes('poison')).length, 6);
  assert.deepEqual([ofType('reopening').length, kafka.fences.length, published()], [6, 7, ['u:101']]);
});

test('a shard that cannot be opened is tried again after 100 ms, then twice as long each time, never more than 5 s', async () => {
  const { publisher, kafka, clock, ofType } = given();
  let broken = true;
  kafka.intercept = ({ api }) => {
    if (api === 'fence' && broken) throw new CodedError('KAFKA', 'no broker');
  };
  // What watches an opening sleeps 2,000 ms.
  const backOffs = (): number[] => clock.sleeps.filter((ms) => ms !== 2_000 && ms !== 25);
  const open = publisher.open();
  await eventually('eight failures', async () => {
    await soon();
    clock.advance(5_000);
    return ofType('reopening').length >= 8;
  });
  broken = false;
  await soon();
  clock.advance(5_000);
  await open;
  const expected = [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000];
  assert.deepEqual(backOffs().slice(0, 8), expected);
  const before = backOffs().length;
  let armed = true;
  kafka.intercept = ({ api }, when) => {
    if (when !== 'before' || !armed || (api !== 'commit' && api !== 'fence')) return;
    if (api === 'fence') armed = false;
    throw new CodedError('KAFKA', 'connection lost');
  };
  await publisher.publish(request('u', 1, 1));
  assert.deepEqual(backOffs().slice(before), [100], 'after an opening it begins anew');
  await publisher.close();
});

test('requests are given back 20 s after they came while the shard cannot be opened, each at its own time', async () => {
  const { publisher, kafka, clock, published } = given();
  const fence = gate();
  kafka.intercept = async ({ api }, when) => {
    if (api === 'fence' && when === 'before') await fence.pass();
  };
  const open = publisher.open();
  await fence.reached;
  const answers: string[] = [];
  const ask = (key: string): void =>
    void publisher.publish(request(key, 1, 1)).then(
      () => answers.push(`${key} published`),
      (error: CodedError) => answers.push(`${key} ${error.code}`),
    );
  ask('early');
  clock.advance(2_000);
  await soon();
  ask('late');
  for (let ms = 4_000; ms <= 18_000; ms += 2_000) {
    clock.advance(2_000);
    await soon();
  }
  assert.deepEqual(answers, []);
  clock.advance(2_000);
  await soon();
  assert.deepEqual(answers, ['early KAFKA']);
  fence.open();
  await open;
  await eventually('late', () => answers.length === 2);
  assert.deepEqual([answers, published()], [['early KAFKA', 'late published'], ['late:101']]);
  await publisher.close();
});

test('closing lets the transaction under way finish, and gives back what it has only a part of', async () => {
  const { publisher, kafka, published } = await opened({ limits: { records: 2, bytes: 700_000 } });
  const commit = firstCommitWaits(kafka);
  const whole = publisher.publish(request('u', 1, 3));
  await commit.reached;
  const waits = publisher.publish(request('v', 1, 1));
  const closed = publisher.close();
  await assert.rejects(waits, withCode('SHARD_NOT_OWNED'));
  commit.open();
  await assert.rejects(whole, withCode('SHARD_NOT_OWNED'));
  await closed;
  assert.deepEqual(published(), ['u:101', 'u:102']);
});

test('closing gives back what was in a transaction that failed', async () => {
  const { publisher, kafka, published, ofType } = await opened();
  const commit = gate();
  kafka.intercept = async ({ api }, when) => {
    if (api !== 'commit' || when !== 'before') return;
    await commit.pass();
    throw new CodedError('KAFKA', 'connection lost');
  };
  const asked = publisher.publish(request('u', 1, 1));
  await commit.reached;
  const closed = publisher.close();
  commit.open();
  await assert.rejects(asked, withCode('SHARD_NOT_OWNED'));
  await closed;
  assert.deepEqual([published(), publisher.state, ofType('reopening'), kafka.fences.length], [[], 'closed', [], 1]);
});

test('a request larger than a batch is published in parts, in order, and answered at the end', async () => {
  const { publisher, published, ofType } = await opened({ limits: { records: 2, bytes: 700_000 } });
  await publisher.publish(request('u', 1, 5));
  assert.deepEqual(published(), ['u:101', 'u:102', 'u:103', 'u:104', 'u:105']);
  assert.deepEqual(
    ofType('committed').map(({ outputs, requests }) => [outputs, requests]),
    [
      [2, 0],
      [2, 0],
      [1, 1],
    ],
  );
});

test('where requests keep coming they are collected for 25 ms, and a few are not', async () => {
  const { publisher, clock, ofType } = await opened();
  clock.sleeps.length = 0;
  await publisher.publish(request('few', 1, 1));
  assert.deepEqual(clock.sleeps, []);
  for (let n = 1; n <= 10; n += 1) await publisher.publish(request('many', n, n));
  assert.equal(clock.sleeps.filter((ms) => ms === 25).length, 2);
  assert.equal(ofType('committed').length, 11);
});

test('an output that was held says for how long when it is taken, and what else is held', async () => {
  const LARGE = 'l'.repeat(3_000);
  const { publisher, kafka, clock, ofType } = await opened({
    settings: { 'max.message.bytes': '2000', 'compression.type': 'uncompressed' },
  });
  clock.advance(9_000);
  const error = await publisher.publish(request(LARGE, 1, 1)).catch((reason: unknown) => reason);
  assert.ok(withCode('OUTPUT_REFUSED')(error));
  assert.deepEqual(ofType('outputRefused'), [
    { type: 'outputRefused', shard: 0, key: LARGE, turns: 1, held: 1, error },
  ]);
  assert.equal(
    await publisher.publish(request(LARGE, 1, 1)).catch((reason: unknown) => reason),
    error,
    'until its turn',
  );
  await assert.rejects(publisher.publish(request(`${LARGE}2`, 1, 1)), withCode('OUTPUT_REFUSED'));
  kafka.settings.set('out', { 'max.message.bytes': '100000' });
  clock.advance(31_000);
  await publisher.publish(request('u', 1, 1));
  await publisher.publish(request(LARGE, 1, 1));
  assert.deepEqual(ofType('outputTaken'), [{ type: 'outputTaken', shard: 0, key: LARGE, held: 1, ms: 31_000 }]);
});

test('one that was never opened can be closed', async () => {
  const { publisher } = given();
  await publisher.close();
  assert.equal(publisher.state, 'closed');
});

test('nobody has to listen', async () => {
  const { publisher, published } = await opened({ onEvent: undefined });
  await publisher.publish(request('u', 1, 1));
  await publisher.close();
  assert.deepEqual(published(), ['u:101']);
});

test('one whose work breaks off by itself is lost, and answers nobody with silence', async () => {
  const { publisher } = await opened({
    onEvent: ({ type }) => {
      if (type === 'refused') throw new Error('a listener that fails');
    },
  });
  await publisher.publish(request('u', 1, 1));
  const divergent = { ...request('u', 1, 1), outputs: [output('u', 777)] };
  publisher.publish(divergent).catch(() => undefined);
  await eventually('the end', () => publisher.state === 'lost');
  await assert.rejects(publisher.publish(request('v', 1, 1)), withCode('SHARD_NOT_OWNED'));
});

test('an opening reads the ledger from the last transaction on', async () => {
  const { publisher, kafka, starts } = await opened();
  await publisher.publish(request('u', 1, 1));
  await publisher.publish(request('u', 2, 2));
  const last = kafka.committed('ledger').at(-1)!.offset;
  let armed = true;
  kafka.intercept = ({ api }, when) => {
    if (api !== 'send' || when !== 'before' || !armed) return;
    armed = false;
    throw new CodedError('KAFKA', 'connection lost');
  };
  await publisher.publish(request('u', 3, 3));
  assert.deepEqual(starts, [null, last]);
});

test('of outputs that went in several batches no offset is told', async () => {
  const { publisher, published } = await opened({ settings: { 'max.message.bytes': '2000' } });
  assert.equal(await publisher.publish(request('u', 1, 200)), undefined);
  assert.equal(published().length, 200);
});

/** The broker's word against what is in these records. */
function refusesContent(kafka: KafkaInMemory, value: string): string[][] {
  const sends: string[][] = [];
  kafka.intercept = ({ api, topic, records }, when) => {
    if (api !== 'send' || topic !== 'out' || when !== 'before') return;
    const values = records!.map((record) => String(record.value));
    sends.push(values);
    if (values.includes(value)) throw Object.assign(new CodedError('KAFKA', 'no'), { type: 'POLICY_VIOLATION' });
  };
  return sends;
}

test('the turn of a refused output costs one transaction, of its request alone, and the output is not sought again', async () => {
  const { publisher, kafka, clock, ofType, published } = await opened();
  const sends = refusesContent(kafka, 'bad:101');
  await assert.rejects(publisher.publish(request('bad', 1, 2)), withCode('OUTPUT_REFUSED'));
  const before = ofType('reopening').length;
  sends.length = 0;
  clock.advance(2_000);
  const turn = publisher.publish(request('bad', 1, 2));
  const other = publisher.publish(request('s', 1, 1));
  await assert.rejects(turn, withCode('OUTPUT_REFUSED'));
  await other;
  assert.deepEqual([sends, ofType('reopening').length - before], [[['bad:101'], ['s:101']], 1]);
  sends.length = 0;
  clock.advance(8_000);
  const behind = [publisher.publish(request('s', 2, 2)), publisher.publish(request('bad', 1, 2))];
  await assert.rejects(behind[1]!, withCode('OUTPUT_REFUSED'));
  await behind[0];
  assert.deepEqual(sends, [['s:102'], ['bad:101']], 'what comes before it is committed without it');
  assert.deepEqual(
    ofType('outputRefused').map(({ turns, held }) => [turns, held]),
    [
      [1, 1],
      [2, 1],
      [3, 1],
    ],
  );
  assert.deepEqual(published(), ['s:101', 's:102']);
});

test('a held output is not taken when something before it is asked for again', async () => {
  const { publisher, kafka, ofType, published } = await opened();
  refusesContent(kafka, 'u:103');
  await assert.rejects(publisher.publish(request('u', 1, 3)), withCode('OUTPUT_REFUSED'));
  await publisher.publish(request('u', 1, 1));
  await publisher.publish(request('u', 1, 2));
  assert.deepEqual([published(), ofType('outputTaken')], [['u:101', 'u:102'], []]);
});

const SMALL_TOPIC = { 'max.message.bytes': '2000', 'compression.type': 'uncompressed' };
const LONG = 'l'.repeat(3_000);

test('where the settings are not seen the error of a refused output has the bytes that the broker refused', async () => {
  const { publisher } = await opened({ settings: SMALL_TOPIC, settingsVisible: false });
  const error = await publisher.publish(request(LONG, 1, 1)).catch((reason: unknown) => reason);
  assert.ok(error instanceof CodedError);
  assert.match(error.message, /it has \d{4} bytes as written: set max\.message\.bytes of out to 65536 or more/);
  assert.ok(error.cause instanceof RefusedBatch);
});

test('a record is not sent if it is too large with its batch only', async () => {
  const { publisher, kafka, ofType } = await opened({ settings: SMALL_TOPIC });
  // A batch has 100 bytes beside its records.
  let key = 'k'.repeat(700);
  while (bytesOf(recordsOf(request(key, 1, 1), encode)[0]!) < 1_950) key += 'k';
  const sends = refusesContent(kafka, '');
  await assert.rejects(publisher.publish(request(key, 1, 1)), withCode('OUTPUT_REFUSED'));
  assert.deepEqual([sends, ofType('reopening')], [[], []]);
});

test('a record that fits compressed is published', async () => {
  const { publisher, published } = await opened({ settings: { 'max.message.bytes': '2000' } });
  await publisher.publish(request(LONG, 1, 1));
  assert.equal(published().length, 1);
});

test('what comes before a record that is too large is published', async () => {
  const { publisher, published, ofType } = await opened({
    settings: SMALL_TOPIC,
    encode: ({ offset }, key) => ({ key, value: offset === 102 ? LONG : String(offset) }),
  });
  const asked = publisher.publish(request('u', 1, 3));
  await assert.rejects(asked, withCode('OUTPUT_REFUSED'));
  await assert.rejects(publisher.publish(request('u', 1, 3)), withCode('OUTPUT_REFUSED'));
  assert.deepEqual([published(), ofType('reopening')], [['101'], []]);
});

test('what was published meanwhile is answered by the ledger, whatever the topic takes now; the other stream is judged by itself', async () => {
  const { publisher, kafka, clock, rooms, ofType } = await opened();
  const commit = firstCommitWaits(kafka);
  const first = publisher.publish(request(LONG, 1, 1));
  await commit.reached;
  const repeat = publisher.publish(request(LONG, 1, 1));
  kafka.settings.set('out', SMALL_TOPIC);
  clock.advance(31_000);
  await rooms.of('out');
  await soon();
  assert.equal(rooms.limit('out'), 2_000);
  commit.open();
  await Promise.all([first, repeat]);
  assert.deepEqual([ofType('outputRefused'), ofType('outputTaken')], [[], []]);
  const resolved = publisher.publish(request(LONG, 1, 1, { stream: 'resolved' }));
  await assert.rejects(resolved, withCode('OUTPUT_REFUSED'));
  assert.equal(publisher.state, 'ready');
});

test('one that is closed in the very moment in which its ledger is read is not opened any more', async () => {
  const { publisher, events } = given();
  let closed: Promise<void> | undefined;
  const onLedger = publisher.onLedger.bind(publisher);
  publisher.onLedger = (batch) => {
    onLedger(batch);
    if (batch.records.length > 0) closed ??= publisher.close();
  };
  await assert.rejects(publisher.open(), withCode('SHARD_NOT_OWNED'));
  await closed;
  assert.deepEqual([publisher.state, events], ['closed', [{ type: 'closed', shard: 0 }]]);
});
