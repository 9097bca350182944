/** What comes to a user's workflow from outside, and is no batch of it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BOUNDS } from '../../src/money/domain/bounds.ts';
import type { EventBatch } from '../../src/money/domain/types.ts';
import { whyNotABatch } from '../../workflows/batches.ts';
import { newLife } from '../../workflows/life.ts';
import { begin as beginOf, Whose } from '../../src/engine/workflow/entity/start.ts';
import { userIn } from '../../workflows/starts.ts';
import { userEntity } from '../../workflows/user-entity.ts';
import { birthYear, country, money, RULES, session, T0, USER } from '../money/domain/given.ts';

const records = [
  birthYear(0, '1990', T0),
  country(1, 'UY', T0),
  session(0, 's', T0),
  money(0, { id: 'm', ts: T0, session: 's', amount: '-1.5E+3' }),
  money(1, { ts: T0 - 5, late: T0 }),
];
const batch: EventBatch = {
  partition: 3,
  lowWater: [0, 1, 2],
  rules: { ...RULES, bounds: BOUNDS },
  records,
  userId: USER,
};

/** Of a user's workflow. */
const begin = (argument: unknown, run: { readonly workflowId: string; readonly continued: boolean }) =>
  beginOf(argument, run, userEntity);

function withHeaders(forwarded: unknown): unknown {
  const record = records.at(-1)!;
  assert.ok(record.event.type === 'money');
  return { ...record, event: { ...record.event, money: { ...record.event.money, forwarded } } };
}

const SURE = new Whose(USER, true);

const OTHERS: readonly (readonly [string, unknown])[] = [
  ['nothing', undefined],
  ['null', null],
  ['a text', 'x'],
  ['a number', 7],
  ['an array', [batch]],
  ['an object of others', { hello: 'world' }],
  ['an unreadable payload', { $unreadable: 'x' }],
  ['the batch of another user', { ...batch, userId: 'other' }],
  ['a negative partition', { ...batch, partition: -1 }],
  ['a partition that is text', { ...batch, partition: '3' }],
  ['a partition above 2^31', { ...batch, partition: 2 ** 31 }],
  ['two low waters', { ...batch, lowWater: [0, 1] }],
  ['a low water that is no offset', { ...batch, lowWater: [0, 1, 1.5] }],
  ['a low water above 2^53', { ...batch, lowWater: [0, 1, 2 ** 53] }],
  ['no rules', { ...batch, rules: undefined }],
  ['rules of text', { ...batch, rules: { ...RULES, dedupTtl: '1m' } }],
  ['rules that are no number', { ...batch, rules: { ...RULES, dedupTtl: Number.NaN } }],
  ['bounds that are none', { ...batch, rules: { ...RULES, bounds: {} } }],
  ['logs that are none', { ...batch, logs: { user: 1 } }],
  ['records that are none', { ...batch, records: {} }],
  ['a record that is null', { ...batch, records: [...records, null] }],
  ['a record of another type', { ...batch, records: [{ ...records[0]!, event: { type: 'x' } }] }],
  ['headers that are none', { ...batch, records: [withHeaders({ headers: [{ name: 'seq', value: '1' }] })] }],
  ['a negative offset', { ...batch, records: [{ ...records[0]!, offset: -1 }] }],
  ['a time after the year 9999', { ...batch, records: [{ ...records[0]!, ts: 253_402_300_800_000 }] }],
  ['a time that is text', { ...batch, records: [{ ...records[0]!, ts: 'now' }] }],
  [
    'a session without a country',
    { ...batch, records: [{ ...records[2]!, event: { type: 'session', sessionId: 's' } }] },
  ],
  [
    'a session with the name of what every object has',
    {
      ...batch,
      records: [{ ...records[2]!, event: { type: 'session', sessionId: '__proto__', clientCountryCode: 'UY' } }],
    },
  ],
  [
    'money without an amount',
    { ...batch, records: [{ ...records[3]!, event: { type: 'money', money: { id: 'm', ts: T0 } } }] },
  ],
  ['an amount that is no number', { ...batch, records: [money(0, { ts: T0, amount: '1,5' })] }],
  ['an amount that is not finite', { ...batch, records: [money(0, { ts: T0, amount: 'NaN' })] }],
  ['an id of a megabyte', { ...batch, records: [money(0, { id: 'x'.repeat(1_000_000), ts: T0 })] }],
];

describe('a batch', () => {
  it('is what the bridge sends, of this release and of those before', () => {
    assert.equal(whyNotABatch(batch, SURE), undefined);
    const { userId: _, ...unnamed } = batch;
    assert.equal(whyNotABatch({ ...unnamed, rules: RULES }, SURE), undefined);
    assert.equal(whyNotABatch({ ...batch, records: [] }, SURE), undefined);
    assert.equal(whyNotABatch({ ...batch, logs: { user: 'a', session: '', money: 'b' } }, SURE), undefined);
  });

  for (const [what, value] of OTHERS) {
    it(`is not ${what}`, () => assert.equal(typeof whyNotABatch(value, SURE), 'string'));
  }
});

describe('the argument of a workflow', () => {
  const first = { workflowId: `app/${USER}`, continued: false };

  it('is the start of the user in its id', () => {
    assert.equal(userIn(`app/${USER}`), USER);
    assert.equal(begin({ userId: USER }, first).whose.key, USER);
    const life = newLife({ startedAt: 1, runId: 'r' });
    const begun = begin({ userId: USER, life }, first);
    assert.deepEqual([begun.whose.key, begun.life, begun.notOurs], [USER, life, undefined]);
  });

  it('may be anything: then the user begins with nothing', () => {
    for (const argument of [
      undefined,
      null,
      7,
      'x',
      [],
      {},
      { userId: 'other' },
      { userId: USER, life: {} },
      { userId: USER, life: 'x' },
      { $unreadable: 'x' },
    ]) {
      const { whose, life, notOurs } = begin(argument, first);
      assert.deepEqual([whose.key, life], [USER, undefined]);
      assert.equal(typeof notOurs, 'string');
    }
  });

  it('under an id that is a hash says whose it is until the first batch does', () => {
    const hashed = { workflowId: `app/${'0f'.repeat(32)}`, continued: false };
    assert.equal(userIn(hashed.workflowId), undefined);
    const { whose } = begin({ userId: USER }, hashed);
    assert.equal(whose.key, USER);
    whose.took(undefined);
    assert.equal(whyNotABatch({ ...batch, userId: 'other' }, whose), 'the records of another user');

    const wrong = begin({ userId: 'other' }, hashed).whose;
    assert.equal(whyNotABatch(batch, wrong), undefined);
    wrong.took(batch.userId);
    assert.equal(wrong.key, USER);

    const none = begin({}, hashed);
    assert.equal(typeof none.notOurs, 'string');
    none.whose.took(undefined);
    assert.equal(none.whose.key, undefined);
    none.whose.took(batch.userId);
    assert.equal(none.whose.key, USER);
  });

  it('of a run that continues another is never put aside: the task fails until it can be read', () => {
    assert.throws(() => begin({ $unreadable: 'cut' }, { ...first, continued: true }), /cannot be used \(cut\)/);
    assert.throws(() => begin(undefined, { ...first, continued: true }), /cannot be used/);
  });
});
