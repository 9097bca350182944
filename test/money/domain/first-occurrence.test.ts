import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { MoneyTypes } from '../../../src/money/domain/first-occurrence.ts';
import { applied, asksFor, DAY, MINUTE, money, NOTHING, resolved, T0, User } from './given.ts';

describe('first occurrence of a money type', () => {
  it('is true once for each type', () => {
    const user = new User();
    const step = user.batch([
      money(0, { id: 'a', ts: T0, type: 'BET' }),
      money(1, { id: 'b', ts: T0, type: 'WIN' }),
      money(2, { id: 'c', ts: T0, type: 'BET' }),
      money(3, { id: 'd', ts: T0, type: 'WIN' }),
    ]);
    assert.deepEqual(step, applied('a first', 'b first', 'c', 'd'));
    assert.deepEqual(user.state.moneyTypes, ['BET', 'WIN']);
  });

  it('takes types by their exact text', () => {
    const user = new User();
    assert.deepEqual(user.money({ id: 'a', ts: T0, type: 'BET' }), applied('a first'));
    assert.deepEqual(user.money({ id: 'b', ts: T0, type: 'bet' }), applied('b first'));
    assert.deepEqual(user.money({ id: 'c', ts: T0, type: '' }), applied('c first'));
    assert.deepEqual(user.money({ id: 'd', ts: T0, type: '__proto__' }), applied('d first'));
    assert.deepEqual(user.money({ id: 'e', ts: T0, type: '__proto__' }), applied('e'));
  });

  it('keeps a type of more than 64 characters as its digest, and tells it from every other', () => {
    const user = new User();
    const long = 'x'.repeat(65);
    // Of the text in UTF-16, low byte first.
    const digest = `sha256:${createHash('sha256').update(Buffer.from(long, 'utf16le')).digest('hex')}`;
    assert.deepEqual(user.money({ id: 'a', ts: T0, type: 'x'.repeat(64) }), applied('a first'));
    assert.deepEqual(user.money({ id: 'b', ts: T0, type: long }), applied('b first'));
    assert.deepEqual(user.money({ id: 'c', ts: T0, type: long }), applied('c'));
    assert.deepEqual(user.money({ id: 'd', ts: T0, type: `${long.slice(1)}y` }), applied('d first'));
    assert.deepEqual(user.money({ id: 'e', ts: T0, type: digest }), applied('e first'));
    assert.deepEqual(user.money({ id: 'f', ts: T0, type: digest }), applied('f'));
    assert.deepEqual(user.money({ id: 'g', ts: T0, type: 'sha256:' }), applied('g first'));
    // Halves of surrogate pairs are the same in UTF-8.
    assert.deepEqual(user.money({ id: 'h', ts: T0, type: '\ud800'.repeat(65) }), applied('h first'));
    assert.deepEqual(user.money({ id: 'i', ts: T0, type: '\ud801'.repeat(65) }), applied('i first'));
    assert.deepEqual(user.state.moneyTypes.slice(0, 2), ['x'.repeat(64), digest]);
    assert.ok(user.state.moneyTypes.every((type) => type.length <= 71));
  });

  it('keeps little of a type of a megabyte', () => {
    const user = new User();
    const type = 'long '.repeat(200_000);
    assert.deepEqual(
      user.batch([money(0, { id: 'a', ts: T0, type }), money(1, { id: 'b', ts: T0, type })]),
      applied('a first', 'b'),
    );
    assert.equal(JSON.stringify(user.state.moneyTypes).length, 75);
  });

  it('is kept for ever', () => {
    const user = new User();
    user.money({ id: 'a', ts: T0 });
    user.advance(T0 + 4000 * DAY);
    assert.deepEqual(user.money({ id: 'b', ts: T0 + 4000 * DAY }), applied('b'));
  });

  it('follows the order of application, not event time', () => {
    const user = new User();
    assert.deepEqual(user.money({ id: 'a', ts: T0 }), applied('a first'));
    assert.deepEqual(user.money({ id: 'late', ts: T0 - DAY, late: T0 }), applied('late'));
  });

  it('is decided when the money is applied, not when it comes out', () => {
    const user = new User();
    assert.deepEqual(user.money({ id: 'waits', ts: T0, session: 's' }), NOTHING);
    assert.deepEqual(user.money({ id: 'b', ts: T0 + 1 }), applied('b'));
    assert.deepEqual(user.session('s', T0 + 2), resolved('waits =UY first'));
  });

  it('is decided before the answer of a lookup', () => {
    const user = new User();
    assert.deepEqual(user.money({ id: 'old', ts: T0, session: 's', old: true }), asksFor('old'));
    assert.deepEqual(user.money({ id: 'b', ts: T0 }), applied('b'));
    assert.equal(user.answer('old', { status: 'not-found' }), 'old first');
  });

  it('is not decided by a dropped duplicate', () => {
    const user = new User();
    user.money({ id: 'm', ts: T0, type: 'BET' });
    assert.deepEqual(user.money({ id: 'm', ts: T0 + 1, type: 'WIN' }), NOTHING);
    assert.deepEqual(user.state.moneyTypes, ['BET']);
    assert.deepEqual(user.money({ id: 'n', ts: T0 + 2, type: 'WIN' }), applied('n first'));
  });

  it('is not decided again by a repeat after the dedup TTL', () => {
    const user = new User();
    user.money({ id: 'm', ts: T0 });
    assert.deepEqual(user.money({ id: 'm', ts: T0 + MINUTE + 1 }), applied('m'));
  });
});

describe('the money types of a state', () => {
  it('count themselves and their bytes as when they are read anew, whatever is noted and forgotten', () => {
    const stored: string[] = ['win'];
    const types = new MoneyTypes(stored);
    const anew = () => new MoneyTypes([...stored]);
    const agree = () => assert.deepEqual([types.count, types.bytes], [stored.length, anew().bytes]);
    assert.ok(types.bytes > 0);
    types.note('bet');
    types.note('a longer one');
    agree();
    types.forgetOldest();
    agree();
    assert.deepEqual(stored, ['bet', 'a longer one']);
    assert.deepEqual([types.note('win'), types.note('bet')], [true, false], 'what is forgotten is new again');
    for (let n = 0; n < 4; n += 1) types.forgetOldest();
    assert.deepEqual([stored, types.count, types.bytes], [[], 0, 0]);
  });

  it('keep none under a name that looks like a digest', () => {
    const stored: string[] = [];
    const types = new MoneyTypes(stored);
    types.note('sha256:x');
    types.note('x sha256:');
    assert.notEqual(stored[0], 'sha256:x');
    assert.equal(stored[1], 'x sha256:');
  });
});
