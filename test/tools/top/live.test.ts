import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import { runLive } from '../../../src/tools/top/live.ts';
import type { Sort } from '../../../src/tools/top/render.ts';
import type { TopSnapshot } from '../../../src/tools/top/snapshot.ts';

const SNAPSHOT: TopSnapshot = {
  at: '2026-01-31T10:00:30.000Z',
  processes: [],
  throughput: { in: null, out: null },
  partitions: [],
  withoutLeader: [],
  users: [
    { user: 'ada', records: 30 },
    { user: 'bob', records: 20 },
    { user: 'cyd', records: 10 },
  ],
  waiting: { pendingMoney: null, awaitingLookup: null, lookupsInFlight: null, unpublished: null },
  deadLetters: { inTopic: 0, byReason: {} },
  shards: [],
};

/** A terminal of 60 columns and 12 rows: what is typed, and the frame that it shows. */
async function live(
  t: TestContext,
  options: {
    readonly look?: () => Promise<TopSnapshot>;
    readonly open?: (user: string) => Promise<string>;
    readonly sort?: Sort;
  },
) {
  const input = new PassThrough();
  const modes: boolean[] = [];
  Object.assign(input, { isTTY: true, setRawMode: (mode: boolean) => modes.push(mode) });
  const output = Object.assign(new PassThrough(), { columns: 60, rows: 12 });
  let written = '';
  output.on('data', (data: Buffer) => (written += String(data)));
  const ended = runLive({
    input: input as unknown as NodeJS.ReadStream,
    output: output as unknown as NodeJS.WriteStream,
    color: false,
    look: options.look ?? (async () => SNAPSHOT),
    open: options.open ?? (async (user) => `state of ${user}`),
    ...(options.sort && { sort: options.sort }),
  });
  t.after(() => input.write('q'));
  const settle = async (): Promise<void> => {
    for (let n = 0; n < 5; n += 1) await turn();
  };
  await settle();
  return {
    ended,
    modes,
    all: () => written,
    async type(keys: string): Promise<string[]> {
      input.write(keys);
      await settle();
      return this.frame();
    },
    /** The lines of the last one. */
    frame(): string[] {
      return written
        .split('\u001b[H')
        .at(-1)!
        .replace(/\u001b\[[^A-Za-z]*[A-Za-z]/g, '')
        .split('\r\n');
    },
  };
}

test('keys: the order, a user that is chosen and opened, back, and the end', async (t) => {
  const top = await live(t, {});
  assert.match(top.frame().at(-1)!, /\(by partition\)/);
  assert.match((await top.type('s')).at(-1)!, /\(by lag\)/);
  assert.deepEqual((await top.type('\u001b[B\r')).slice(2), ['state of bob']);
  await top.type('\u001b');
  // Several in one piece, in both ways of sending them, and none leads beyond the last user.
  assert.deepEqual((await top.type('\u001bOB\u001b[B\u001b[B\r')).slice(2), ['state of cyd']);
  await top.type('\u001b');
  assert.deepEqual((await top.type('\u001b[A\u001b[A\u001b[A\u001b[A\r')).slice(2), ['state of ada']);
  await top.type('q');
  await top.ended;
  assert.deepEqual(top.modes, [true, false]);
  assert.ok(top.all().endsWith('\u001b[?25h\u001b[?1049l'));
});

test('what a user has is read on with the arrows, and no line is wider than the window', async (t) => {
  const lines = Array.from({ length: 40 }, (_, n) => `${n} ${'x'.repeat(100)}`);
  const top = await live(t, { open: async () => lines.join('\n') });
  const first = await top.type('\r');
  assert.equal(first.length, 12);
  assert.deepEqual([first[2]!.length, first[2]!.slice(0, 3)], [60, '0 x']);
  assert.equal((await top.type('\u001b[B'.repeat(5)))[2]!.slice(0, 3), '5 x');
  assert.equal((await top.type('\u001b[A'.repeat(9)))[2]!.slice(0, 3), '0 x');
  await top.type('\u0003');
  await top.ended;
});

test('an answer that comes after one went back opens nothing, and one that fails is shown', async (t) => {
  let answer: (text: string) => void = () => undefined;
  const top = await live(t, { open: () => new Promise((resolve) => (answer = resolve)) });
  assert.deepEqual((await top.type('\r')).slice(2), ['asking the workflow of ada ...']);
  await top.type('\u001b');
  answer('late');
  assert.match((await top.type('')).at(-1)!, /\(by partition\)/);
  assert.doesNotMatch(top.all(), /late/);
  await top.type('q');
  await top.ended;

  const failing = await live(t, { open: () => Promise.reject(new Error('Temporal does not answer')) });
  assert.deepEqual((await failing.type('\r')).slice(2), ['Temporal does not answer']);
  await failing.type('q');
  await failing.ended;
});

test('after the end nothing is drawn any more, whatever still answers', async (t) => {
  let answer: (snapshot: TopSnapshot) => void = () => undefined;
  const top = await live(t, { look: () => new Promise((resolve) => (answer = resolve)) });
  assert.deepEqual(top.frame(), ['asking Kafka ...']);
  await top.type('q');
  await top.ended;
  const before = top.all();
  answer(SNAPSHOT);
  await top.type('');
  assert.equal(top.all(), before);
});

test('it begins with the order that it is told', async (t) => {
  assert.match((await live(t, { sort: 'lag' })).frame().join('\n'), /s sort \(by lag\)/);
  assert.match((await live(t, {})).frame().join('\n'), /s sort \(by partition\)/);
});
