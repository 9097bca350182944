import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CommitPace } from '../../../src/engine/publish/commit-pace.ts';

class Given {
  now = 5_000;
  readonly pace = new CommitPace({ elapsed: () => this.now });

  /** Requests at equal distances, ms. */
  requests(count: number, every: number): void {
    for (let n = 0; n < count; n += 1) {
      this.now += every;
      this.pace.came();
    }
  }
}

describe('requests of a shard', () => {
  it('are not collected where they are few', () => {
    const given = new Given();
    assert.equal(given.pace.linger(0), 0);
    given.requests(1, 0);
    assert.equal(given.pace.linger(1), 0);
    given.requests(100, 200);
    assert.equal(given.pace.linger(1), 0);
  });

  it('are collected where they keep coming, and soon no more when they are few again', () => {
    const given = new Given();
    given.requests(100, 20);
    assert.equal(given.pace.linger(1), 25);
    given.now += 3_000;
    assert.equal(given.pace.linger(1), 0);
  });

  it('are collected from the tenth within a second on', () => {
    const given = new Given();
    given.requests(9, 0);
    assert.equal(given.pace.linger(1), 0);
    given.requests(1, 0);
    assert.equal(given.pace.linger(1), 25);
  });

  it('wait for no others when enough are there', () => {
    const given = new Given();
    given.requests(100, 5);
    assert.equal(given.pace.linger(19), 25);
    assert.equal(given.pace.linger(20), 0);
  });
});
