import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Changes } from '../../../src/money/domain/user-info.ts';
import type { Change } from '../../../src/money/domain/types.ts';
import { applied, asksFor, birthYear, country, DAY, HOUR, money, NOTHING, resolved, T0, User } from './given.ts';

const values = (changes: readonly { value: string }[]) => changes.map(({ value }) => value);

describe('user info as of event time', () => {
  it('is left out while no field is known', () => {
    assert.deepEqual(new User().money({ id: 'm', ts: T0 }), applied('m first'));
  });

  it('has the fields that are known', () => {
    const user = new User();
    user.birthYear('1990', T0);
    assert.deepEqual(user.money({ id: 'a', ts: T0 }), applied('a 1990/- first'));
    user.country('UY', T0 + 1);
    assert.deepEqual(user.money({ id: 'b', ts: T0 + 1 }), applied('b 1990/UY'));
    const other = new User();
    other.country('DE', T0);
    assert.deepEqual(other.money({ id: 'c', ts: T0 }), applied('c -/DE first'));
  });

  it('counts from its own millisecond on, and not before', () => {
    const user = new User();
    user.batch([country(0, 'UY', T0), country(1, 'DE', T0 + 10)]);
    assert.deepEqual(user.money({ id: 'before', ts: T0 - 1, late: T0 + 10 }), applied('before first'));
    assert.deepEqual(user.money({ id: 'at', ts: T0, late: T0 + 10 }), applied('at -/UY'));
    assert.deepEqual(user.money({ id: 'until', ts: T0 + 9, late: T0 + 10 }), applied('until -/UY'));
    assert.deepEqual(user.money({ id: 'from', ts: T0 + 10 }), applied('from -/DE'));
  });

  it('is empty text where that is the value', () => {
    const user = new User();
    user.country('', T0);
    assert.deepEqual(user.batch([money(0, { ts: T0 })]).applied, ['money-0 -/ first']);
  });

  it('takes the larger offset of two changes in one millisecond, whatever the order of application', () => {
    const user = new User();
    user.batch([country(5, 'DE', T0), country(3, 'UY', T0, T0 + 1)]);
    assert.deepEqual(user.money({ id: 'm', ts: T0 + 1 }), applied('m -/DE first'));
  });

  it('takes the larger event time before the larger offset', () => {
    const user = new User();
    user.batch([birthYear(3, '1991', T0 + 5), birthYear(9, '1990', T0, T0 + 5)]);
    assert.deepEqual(user.money({ id: 'm', ts: T0 + 5 }), applied('m 1991/- first'));
    assert.deepEqual(user.money({ id: 'n', ts: T0 + 4, late: T0 + 5 }), applied('n 1990/-'));
  });

  it('keeps the two fields apart', () => {
    const user = new User();
    user.batch([birthYear(0, '1990', T0), country(1, 'UY', T0 + 5)]);
    assert.deepEqual(user.money({ id: 'm', ts: T0 + 4, late: T0 + 5 }), applied('m 1990/- first'));
  });

  it('of a late change is seen by later applications only', () => {
    const user = new User();
    user.money({ id: 'a', ts: T0 + 10 });
    user.country('UY', T0, T0 + 10);
    assert.deepEqual(user.money({ id: 'b', ts: T0 + 10 }), applied('b -/UY'));
  });

  it('is that at processedAt, as known when the money is applied: also for money that waits', () => {
    const user = new User();
    user.country('UY', T0);
    assert.deepEqual(user.money({ id: 'waits', ts: T0 + 1, session: 's' }), NOTHING);
    // Neither a newer value nor a late one of before.
    user.country('DE', T0 + 2);
    user.country('SE', T0 + 1, T0 + 2);
    assert.deepEqual(user.session('s', T0 + 3, 'BR'), resolved('waits =BR -/UY first'));
  });

  it('is that at processedAt also for money that is looked up', () => {
    const user = new User();
    user.country('UY', T0);
    assert.deepEqual(user.money({ id: 'old', ts: T0 + 1, session: 's', old: true }), asksFor('old'));
    user.country('DE', T0 + 1);
    assert.equal(user.answer('old', { status: 'found', clientCountryCode: 'BR' }), 'old =BR -/UY first');
  });
});

describe('pruning of user info', () => {
  const twoAnd = (tau: number) => {
    const user = new User();
    user.batch([country(0, 'A', T0), country(1, 'B', T0 + 100)]);
    user.advance(tau);
    return values(user.state.residentCountryCode);
  };

  it('keeps what is newer than tau - sessionTtl, and the newest of what is older', () => {
    // B is newer than tau - ttl until tau - ttl reaches it.
    assert.deepEqual(twoAnd(T0 + 100 + DAY - 1), ['A', 'B']);
    assert.deepEqual(twoAnd(T0 + 100 + DAY), ['B']);
    assert.deepEqual(twoAnd(T0 + 100 + DAY + 1), ['B']);
  });

  it('keeps the newest value for ever', () => {
    const user = new User();
    user.birthYear('1990', T0);
    user.advance(T0 + 4000 * DAY);
    assert.deepEqual(user.money({ id: 'm', ts: T0 + 4000 * DAY }), applied('m 1990/- first'));
  });

  it('prunes each field by itself', () => {
    const user = new User();
    user.batch([country(0, 'A', T0), birthYear(1, '1990', T0), country(2, 'B', T0 + 1)]);
    user.advance(T0 + 1 + DAY);
    assert.deepEqual(values(user.state.residentCountryCode), ['B']);
    assert.deepEqual(values(user.state.birthYear), ['1990']);
  });

  it('of one millisecond keeps the larger offset', () => {
    const user = new User();
    user.batch([country(0, 'A', T0), country(1, 'B', T0)]);
    user.advance(T0 + DAY - 1);
    assert.deepEqual(values(user.state.residentCountryCode), ['A', 'B']);
    user.advance(T0 + DAY);
    assert.deepEqual(values(user.state.residentCountryCode), ['B']);
  });

  it('happens before a record is applied, with its effective time: late money sees what is left', () => {
    const seen = (tau: number) => {
      const user = new User();
      user.batch([country(0, 'A', T0), country(1, 'B', T0 + 100)]);
      return user.money({ id: 'm', ts: T0 + 50, late: tau }).applied;
    };
    assert.deepEqual(seen(T0 + 100 + DAY - 1), ['m -/A first']);
    assert.deepEqual(seen(T0 + 100 + DAY), ['m first']);
  });

  it('gives the late change of before its chance until the next record only', () => {
    const user = new User();
    user.country('B', T0);
    user.advance(T0 + 2 * DAY);
    user.country('A', T0 - HOUR, T0 + 2 * DAY);
    assert.deepEqual(user.money({ id: 'm', ts: T0 - 1, late: T0 + 2 * DAY }), applied('m first'));
    assert.deepEqual(values(user.state.residentCountryCode), ['B']);
  });
});

describe('the changes of a field', () => {
  it('count themselves and their bytes as when they are read anew, whatever is added and forgotten', () => {
    const stored: Change[] = [{ ts: 5, offset: 1, value: 'five' }];
    const changes = new Changes(stored);
    const agree = () =>
      assert.deepEqual([changes.count, changes.bytes], [stored.length, new Changes([...stored]).bytes]);
    assert.ok(changes.bytes > 0);
    changes.add({ ts: 9, offset: 2, value: 'nine' });
    changes.add({ ts: 7, offset: 3, value: 'seven' });
    agree();
    changes.prune(0, 1);
    assert.deepEqual(
      stored.map(({ ts }) => ts),
      [5, 7, 9],
    );
    changes.forgetOldest();
    assert.deepEqual(
      stored.map(({ ts }) => ts),
      [7, 9],
    );
    agree();
    changes.prune(100, 1);
    assert.deepEqual(
      stored.map(({ ts }) => ts),
      [9],
    );
    agree();
    changes.forgetOldest();
    assert.deepEqual([changes.count, changes.bytes], [0, 0]);
  });

  it('stand in the order of event time, whatever their offsets are', () => {
    const stored: Change[] = [];
    const changes = new Changes(stored);
    changes.add({ ts: 5, offset: 9, value: 'a' });
    changes.add({ ts: 6, offset: 1, value: 'b' });
    changes.add({ ts: 6, offset: 0, value: 'c' });
    assert.deepEqual(
      stored.map(({ value }) => value),
      ['a', 'c', 'b'],
    );
  });
});
