/** A user whose signals wait, or are refused, is that user's matter: it takes no place, no memory and no turn of the others. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Signaller } from '../../../src/engine/bridge/signaller.ts';
import { START, uuid, World } from './world.ts';
import { decoding } from '../../../src/money/bridge/settings.ts';

/** As gRPC's client throws, down the causes of Temporal's. */
function refusal(code: number, details: string): Error {
  return new Error('Failed to signalWithStart Workflow', {
    cause: Object.assign(new Error(`${code}: ${details}`), { code, details }),
  });
}
const TOO_LARGE = () => refusal(3, 'INVALID_ARGUMENT: BadSignalWorkflowExecutionInput: size exceeds limit.');
const SLOW_DOWN = () => refusal(8, 'RESOURCE_EXHAUSTED: namespace rate limit exceeded');

/** A signaller of the test's own; what goes through is noted as (user, offsets). */
function signallerOf(
  answer: (user: number) => Promise<void> | void,
  history: (user: number) => { events: number; bytes: number } = () => ({ events: 0, bytes: 0 }),
) {
  const through: { readonly user: number; readonly partition: number; readonly offsets: readonly number[] }[] = [];
  const attempts: number[] = [];
  const looks: number[] = [];
  const userOf = (userId: string) => Number(userId.slice(-12));
  const signaller: Signaller = {
    workflowIdOf: (userId) => `app/user-${userOf(userId)}`,
    history: async (userId) => {
      looks.push(userOf(userId));
      return { busy: false, ...history(userOf(userId)) };
    },
    signal: async (userId, { partition, records }) => {
      attempts.push(userOf(userId));
      await answer(userOf(userId));
      through.push({ user: userOf(userId), partition, offsets: records.map(({ offset }) => offset) });
    },
  };
  const offsetsOf = (user: number) =>
    through.filter((signal) => signal.user === user).flatMap(({ offsets }) => offsets);
  return { through, attempts, looks, offsetsOf, deps: { signaller } };
}

const BUSY = 1;
const LARGE = { maxRecordBytes: 2_000_000, maxFutureSkew: 3_600_000 };

/** A money event with a text of so many bytes. */
function large(world: World, user: number, ts: number, bytes: number): void {
  const value = {
    id: uuid(ts),
    userId: uuid(user),
    processedAt: new Date(START + ts).toISOString(),
    type: 'PaymentEvent',
    amount: 1,
    openingBalance: 0,
    closingBalance: 2,
    currency: 'EUR',
    moneyType: 'BET',
    paymentRelatedThing: 'x'.repeat(bytes),
    isOldMoneyEvent: false,
  };
  world.kafka.append('money', 0, { key: uuid(user), timestamp: START + ts, value: JSON.stringify(value) });
}

describe('a user whose history is long', () => {
  it('holds up neither the places of others nor its partition, and is named', async (t) => {
    const world = new World(t);
    let long = true;
    const { offsetsOf, deps } = signallerOf(
      () => undefined,
      (user) => ({ events: user <= 70 && long ? 8_000 : 10, bytes: 0 }),
    );
    const bridge = world.start('a', decoding(LARGE), deps);
    // More users than there are places (64) have sent what they may without a look: a megabyte.
    for (let user = 1; user <= 70; user += 1) large(world, user, user, 1_000_000);
    await world.until(
      'a megabyte of each is signalled',
      () => Array.from({ length: 70 }, (_, k) => offsetsOf(k + 1).length).every((count) => count === 1),
      500,
    );
    for (let user = 1; user <= 70; user += 1) world.produce('money', 50_000 + user, { user });
    await world.until('all 70 wait', () => bridge.workflowsWaiting === 70, 500);
    for (let user = 101; user <= 120; user += 1) world.produce('money', 100_000 + user, { user });
    await world.until('the others are signalled', () =>
      Array.from({ length: 20 }, (_, k) => offsetsOf(101 + k).length).every((count) => count === 1),
    );
    await world.pass(15_000);
    assert.match(
      bridge.notReady ?? '',
      /^the signals of 70 workflows wait, first those of app\/user-\d+, for \d+ s: its workflow does not keep up: check that workers run, and look at that workflow$/,
    );
    assert.equal(
      world.warnings(/^the signals of 70 workflows wait, those of the others go on: its workflow does not keep up/)
        .length,
      1,
    );
    assert.deepEqual(bridge.partitionsWaiting, []);
    long = false;
    await world.until(
      'they go on',
      () => Array.from({ length: 70 }, (_, k) => offsetsOf(k + 1).length).every((count) => count === 2),
      500,
    );
    await world.until('all is committed', async () => (await world.committed())[2] === 2 * 70 + 20, 500);
    assert.equal(bridge.notReady, undefined);
  });

  it('is looked at however often the bridge joins anew: one guard for all of its memberships', async (t) => {
    const world = new World(t);
    const { attempts, looks, deps } = signallerOf(
      () => undefined,
      () => ({ events: 8_000, bytes: 0 }),
    );
    world.start('a', { outOfOrderness: 100, ...decoding(LARGE) }, deps);
    let ts = 0;
    for (let membership = 0; membership < 6; membership += 1) {
      for (let n = 0; n < 3; n += 1) {
        large(world, BUSY, (ts += 1_000), 110_000);
        await world.pass(1_000);
      }
      await world.pass(6_000);
      world.kafka.crash('bridges');
    }
    // A megabyte may go without a look, ten of these; then it waits.
    assert.ok(looks.length > 0, 'nobody looked');
    assert.equal(attempts.length, 10);
  });
});

describe('a signal that Temporal refuses for its size', () => {
  it("is that user's alone: the others keep all places and their pace, and it is said at warn by workflow id", async (t) => {
    const world = new World(t);
    let refused = true;
    const { offsetsOf, attempts, deps } = signallerOf((user) => {
      if (user === BUSY && refused) throw TOO_LARGE();
    });
    const bridge = world.start('a', { outOfOrderness: 100 }, deps);
    world.produce('money', 0, { user: BUSY });
    for (let n = 1; n <= 60; n += 1) {
      world.produce('money', 1_000 * n, { user: 2 });
      await world.pass(1_000);
    }
    assert.ok(offsetsOf(2).length >= 58, `${offsetsOf(2).length} of 60`);
    assert.ok(attempts.filter((user) => user === BUSY).length >= 2, 'it is tried again');
    assert.deepEqual(world.warnings(/go through/), [], 'Temporal is well');
    assert.equal(
      world.warnings(
        /^the signals of 1 workflow wait, those of the others go on: its signals fail: .*size exceeds limit/,
      ).length,
      1,
    );
    assert.deepEqual(world.lines.find(({ workflowIds }) => workflowIds !== undefined)?.workflowIds, ['app/user-1']);
    assert.match(bridge.notReady ?? '', /^the signals of 1 workflow wait, first those of app\/user-1/);
    refused = false;
    await world.until('it goes on', async () => (await world.committed())[2] === 61, 500);
    assert.deepEqual(offsetsOf(BUSY), [0]);
  });
});

describe('RESOURCE_EXHAUSTED', () => {
  it('slows all signals down and loses none', async (t) => {
    const world = new World(t);
    let exhausted = true;
    const { through, attempts, deps } = signallerOf(() => {
      if (exhausted) throw SLOW_DOWN();
    });
    const bridge = world.start('a', {}, deps);
    for (let user = 1; user <= 200; user += 1) world.produce('money', user, { user });
    await world.until('it is tried', () => attempts.length > 0);
    await world.pass(10_000);
    const before = attempts.length;
    await world.pass(60_000);
    assert.ok(
      attempts.length - before <= 70,
      `${attempts.length - before} attempts in 60 s: one a second, and a little`,
    );
    assert.match(bridge.notReady ?? '', /^signals do not go through, for \d+ s: .*RESOURCE_EXHAUSTED/);
    assert.deepEqual([...world.failures], ['overload']);
    const said = world.warnings(/Temporal limits the rate of signals/).length;
    assert.ok(said >= 1 && said <= 3, `${said} lines in some 80 s: one a minute`);
    exhausted = false;
    await world.until('all is committed', async () => (await world.committed())[2] === 200, 500);
    assert.deepEqual(
      through.map(({ user }) => user).sort((a, b) => a - b),
      Array.from({ length: 200 }, (_, k) => k + 1),
    );
    assert.equal(bridge.notReady, undefined);
  });
});

describe('the turn of each triple', () => {
  it('is fair: a partition with very many users that are ready leaves every other place to its neighbour', async (t) => {
    const world = new World(t, 2);
    let open: (() => void)[] = [];
    const { attempts, deps } = signallerOf(() => new Promise<void>((resolve) => open.push(resolve)));
    world.start('a', {}, deps);
    for (let user = 1_001; user <= 1_400; user += 1) world.produce('money', user - 1_000, { user, partition: 0 });
    for (let user = 1; user <= 20; user += 1) world.produce('money', user, { user, partition: 1 });
    await world.until('all places are taken', () => open.length === 64);
    const taken = attempts.slice(0, 64).filter((user) => user <= 20).length;
    // What comes first is a matter of chance; within the next 64 all of the neighbour is done.
    const now = open;
    open = [];
    for (const answer of now) answer();
    await world.until('all places are taken again', () => open.length === 64);
    assert.equal(attempts.slice(0, 128).filter((user) => user <= 20).length, 20, `${taken} of them with the first 64`);
    await world.until('all is done', async () => {
      for (const answer of open) answer();
      return (await world.committed(0))[2] === 400 && (await world.committed(1))[2] === 20;
    });
  });
});
