/** A workflow is reset to an earlier event, or terminated: its user's later money comes out, and nothing that waited is lost. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPublish } from '../../activities/publish.ts';
import type { Output } from '../../src/money/domain/events.ts';
import type { PublishRequest } from '../../src/engine/workflow/publish-request.ts';
import { advance, judge } from '../../src/engine/publish/ledger.ts';
import type { LedgerEntry } from '../../src/engine/publish/ledger-entry.ts';
import { Notices, type Notice } from '../../src/engine/publish/notices.ts';
import { refusalOf } from '../../src/engine/publish/refusals.ts';
import { money, short, T0 } from '../money/domain/given.ts';
import { eventually } from '../support/eventually.ts';
import { noAnswer, WorkflowUser } from './harness.ts';

/** A ledger of one user, and what came out by it, in order. */
class OneUser {
  readonly out: string[] = [];
  readonly noticed: Notice[] = [];
  readonly #notices = new Notices();
  #entry: LedgerEntry | undefined;

  readonly publish = createPublish({ publisher: { publish: (request) => Promise.resolve(this.#publish(request)) } });

  #publish(request: PublishRequest<Output>): void {
    const notice = this.#notices.of(this.#entry, request);
    if (notice !== undefined) this.noticed.push(notice);
    const verdict = judge(this.#entry, request);
    if (verdict.type === 'published') return;
    if (verdict.type !== 'publish') throw refusalOf(request, verdict);
    this.out.push(...request.outputs.slice(verdict.from).map(short));
    this.#entry = advance(this.#entry, request, request.outputs.length);
  }
}

const old = (n: number, id: string) => money(n, { id, ts: T0 + n, session: `s${id}`, old: true });
const of = (out: readonly string[], id: string): number => out.filter((text) => text.split(' ')[0] === id).length;

async function given(t: Parameters<typeof WorkflowUser.create>[0]): Promise<{ user: WorkflowUser; ledger: OneUser }> {
  const user = await WorkflowUser.create(t, { server: 'dev' });
  const ledger = new OneUser();
  user.fake.onPublish = async (request) => void (await ledger.publish(request));
  return { user, ledger };
}

test('a reset: what follows from signals comes out once, what waited at least once, and later money comes out', async (t) => {
  const { user, ledger } = await given(t);
  const answers = new Set<string>();
  const answer = (sessionIds: readonly string[]) => {
    const known = sessionIds.filter((one) => answers.has(one));
    if (known.length === 0) noAnswer();
    return sessionIds.map((sessionId) =>
      answers.has(sessionId)
        ? ({ sessionId, status: 'found', clientCountryCode: 'UY' } as const)
        : ({ sessionId, status: 'retry' } as const),
    );
  };
  user.fake.onLookup = ({ sessionIds }) => answer(sessionIds);
  await user.signal([money(0, { id: 'a', ts: T0 })]);
  await eventually('a is out', () => of(ledger.out, 'a') === 1);
  await user.signal([old(1, 'b'), old(2, 'c'), money(3, { id: 'd', ts: T0 + 3 })]);
  answers.add('sb');
  await eventually('b is out, c waits', () => of(ledger.out, 'b') === 1 && of(ledger.out, 'd') === 1, 20_000);
  // The other way round this time: c has the number that b had.
  answers.delete('sb');
  answers.add('sc');
  await user.reset(await user.completedTask(1));
  await eventually('c is out', () => of(ledger.out, 'c') === 1, 20_000);
  answers.add('sb');
  await user.signal([money(4, { id: 'e', ts: T0 + 4 })]);
  await eventually('e is out', () => of(ledger.out, 'e') === 1, 20_000);
  await eventually('b is out again', () => of(ledger.out, 'b') === 2, 20_000);
  assert.deepEqual(
    ['a', 'c', 'd', 'e'].map((id) => of(ledger.out, id)),
    [1, 1, 1, 1],
  );
  assert.deepEqual([...new Set(ledger.noticed)], ['reset']);
  assert.ok((await user.state()).counters.resets >= 1);
});

test('a reset without the signals since is noticed, and later money comes out', async (t) => {
  const { user, ledger } = await given(t);
  await user.signal([money(0, { id: 'a', ts: T0 })]);
  await eventually('a is out', () => of(ledger.out, 'a') === 1);
  const first = await user.completedTask(0);
  await user.signal([money(1, { id: 'b', ts: T0 + 1 })]);
  await eventually('b is out', () => of(ledger.out, 'b') === 1);
  await user.reset(first, { signals: false });
  await user.signal([money(2, { id: 'c', ts: T0 + 2 })]);
  await eventually('c is out', () => of(ledger.out, 'c') === 1, 20_000);
  assert.deepEqual(ledger.noticed, ['reset']);
});

test('a termination and a start under the same id are noticed, and later money comes out', async (t) => {
  const { user, ledger } = await given(t);
  await user.signal([money(0, { id: 'a', ts: T0 })]);
  await eventually('a is out', () => of(ledger.out, 'a') === 1);
  await user.handle.terminate();
  await user.signal([money(1, { id: 'b', ts: T0 + 1 })]);
  await eventually('b is out', () => of(ledger.out, 'b') === 1, 20_000);
  assert.deepEqual(ledger.noticed, ['began-anew']);
});
