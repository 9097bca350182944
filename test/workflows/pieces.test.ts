import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Output } from '../../src/money/domain/events.ts';
import type { Lookup } from '../../src/money/domain/state.ts';
import { chunksOf, firstChunkOf } from '../../src/engine/workflow/chunks.ts';
import { lookupGroups } from '../../workflows/lookup-groups.ts';
import { taskQueueOf, workflowIdOf } from '../../src/engine/naming.ts';
import { output } from '../support/publishing.ts';

describe('chunks of outputs', () => {
  const offsets = (chunks: ReturnType<typeof chunksOf<Output>>) =>
    chunks.map((chunk) => chunk.map(({ offset }) => offset));
  const large = (offset: number, characters: number) => {
    const made = output('u', offset);
    return {
      ...made,
      enriched: { ...made.enriched, money: { ...made.enriched.money, moneyType: 'x'.repeat(characters) } },
    };
  };

  it('are none for none, and one for a few', () => {
    assert.deepEqual(chunksOf([]), []);
    assert.deepEqual(offsets(chunksOf([output('u', 1), output('u', 2)])), [[1, 2]]);
  });

  it('have 500 outputs at most, in order', () => {
    const chunks = chunksOf(Array.from({ length: 1_001 }, (_, n) => output('u', n)));
    assert.deepEqual(
      chunks.map(({ length }) => length),
      [500, 500, 1],
    );
    assert.deepEqual(
      chunks.flat().map(({ offset }) => offset),
      Array.from({ length: 1_001 }, (_, n) => n),
    );
  });

  it('are bounded by their text, and one output alone always fits', () => {
    assert.deepEqual(
      offsets(chunksOf([large(1, 150_000), large(2, 150_000), large(3, 150_000), large(4, 900_000), large(5, 1)])),
      [[1, 2], [3], [4], [5]],
    );
  });
});

describe('the first chunk of outputs', () => {
  it('is the first of all of them, found without a look at the others', () => {
    const count = (length: number) => Array.from({ length }, (_, n) => output('u', n));
    for (const length of [0, 1, 499, 500, 501, 1_200]) {
      assert.deepEqual(firstChunkOf(count(length)), chunksOf(count(length))[0] ?? []);
    }
    let looks = 0;
    const seen = count(2_000).map((made) => ({ ...made, toJSON: () => ((looks += 1), 'x'.repeat(100)) }));
    firstChunkOf(seen);
    assert.ok(looks <= 501, `${looks} outputs were looked at`);
  });
});

describe('groups of lookups', () => {
  function lookup(offset: number, userSessionId: string, giveUpAt?: number): Lookup {
    const {
      enriched: { money },
    } = output('u', offset);
    return {
      partition: 0,
      offset,
      money: { ...money, userSessionId },
      firstOccurrence: false,
      ...(giveUpAt === undefined ? {} : { giveUpAt }),
    };
  }
  const summary = (lookups: Lookup[]) =>
    lookupGroups(lookups).map(({ sessionIds, giveUpAt, lookups: members }) => ({
      sessionIds,
      giveUpAt,
      offsets: members.map(({ offset }) => offset),
    }));

  it('have each session once, with all money that waits for it', () => {
    assert.deepEqual(summary([lookup(1, 'a', 9), lookup(2, 'b', 9), lookup(3, 'a', 9)]), [
      { sessionIds: ['a', 'b'], giveUpAt: 9, offsets: [1, 3, 2] },
    ]);
  });

  it('have one time to give up each', () => {
    assert.deepEqual(summary([lookup(1, 'a', 9), lookup(2, 'a', 8)]), [
      { sessionIds: ['a'], giveUpAt: 9, offsets: [1] },
      { sessionIds: ['a'], giveUpAt: 8, offsets: [2] },
    ]);
  });

  it('have 20 sessions at most', () => {
    const groups = summary(Array.from({ length: 45 }, (_, n) => lookup(n, `s${n}`, 9)));
    assert.deepEqual(
      groups.map(({ sessionIds }) => sessionIds.length),
      [20, 20, 5],
    );
    assert.deepEqual(
      groups.flatMap(({ offsets }) => offsets),
      Array.from({ length: 45 }, (_, n) => n),
    );
  });

  it('are none for none', () => {
    assert.deepEqual(lookupGroups([]), []);
  });
});

describe('names on the wire', () => {
  it('are those of the contract', () => {
    assert.equal(workflowIdOf('money-enrichment', 'u'), 'money-enrichment/u');
    assert.notEqual(taskQueueOf('app', 1), taskQueueOf('app', 2));
  });
});
