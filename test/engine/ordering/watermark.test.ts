import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Watermark } from '../../../src/engine/ordering/watermark.ts';
import { MONEY_INPUT, SESSION_INPUT, USER_INPUT } from '../bridge/given.ts';

const NONE_YET = [-Infinity, -Infinity, -Infinity];

const BEHIND = 20;

function all(user: number, session: number, money: number): Watermark {
  const watermark = new Watermark(BEHIND, NONE_YET);
  watermark.read(USER_INPUT, user);
  watermark.read(SESSION_INPUT, session);
  watermark.read(MONEY_INPUT, money);
  return watermark;
}

describe('the watermark', () => {
  it('is -Infinity until every input has a record', () => {
    const watermark = new Watermark(BEHIND, NONE_YET);
    assert.equal(watermark.current, -Infinity);
    assert.equal(watermark.read(MONEY_INPUT, 1_000), -Infinity);
    assert.equal(watermark.read(SESSION_INPUT, 1_000), -Infinity);
    assert.equal(watermark.read(USER_INPUT, 500), 480);
  });

  it('is the least of the largest event times, minus the out-of-orderness', () => {
    const watermark = all(100, 200, 300);
    assert.equal(watermark.current, 80);
    assert.equal(watermark.read(USER_INPUT, 250), 180);
    assert.equal(watermark.read(SESSION_INPUT, 1_000), 230);
  });

  it('takes the largest event time of an input, not the last', () => {
    const watermark = all(100, 100, 100);
    assert.equal(watermark.read(USER_INPUT, 50), 80);
    assert.deepEqual(watermark.maxTs, [100, 100, 100]);
  });

  it('leaves an idle input out of the minimum', () => {
    const watermark = all(100, 200, 300);
    assert.equal(watermark.setIdle(USER_INPUT), 180);
    assert.equal(watermark.setIdle(SESSION_INPUT), 280);
    assert.equal(watermark.read(MONEY_INPUT, 400), 380);
  });

  it('leaves an idle input without any record out as well', () => {
    const watermark = new Watermark(BEHIND, NONE_YET);
    watermark.read(MONEY_INPUT, 300);
    assert.equal(watermark.setIdle(USER_INPUT), -Infinity);
    assert.equal(watermark.setIdle(SESSION_INPUT), 280);
  });

  it('never goes back when an idle input comes back behind it', () => {
    const watermark = all(100, 300, 300);
    watermark.setIdle(USER_INPUT);
    assert.equal(watermark.current, 280);
    assert.equal(watermark.read(USER_INPUT, 150), 280);
    assert.equal(watermark.isIdle(USER_INPUT), false);
    assert.equal(watermark.read(USER_INPUT, 310), 280);
    assert.equal(watermark.read(SESSION_INPUT, 400), 280);
    assert.equal(watermark.read(MONEY_INPUT, 400), 290);
  });

  it('stays when all inputs are idle, until it is told what is held', () => {
    const watermark = all(100, 100, 100);
    for (const input of [USER_INPUT, SESSION_INPUT, MONEY_INPUT] as const) assert.equal(watermark.setIdle(input), 80);
    assert.equal(watermark.allIdle, true);
    assert.equal(watermark.passHeld(100), 101);
    assert.equal(watermark.passHeld(50), 101);
    assert.equal(watermark.read(MONEY_INPUT, 90), 101);
    assert.equal(watermark.allIdle, false);
  });

  it('goes on where it was left', () => {
    const watermark = new Watermark(BEHIND, [100, -Infinity, 300], 250);
    assert.equal(watermark.current, 250);
    assert.equal(watermark.read(SESSION_INPUT, 200), 250);
    assert.equal(watermark.read(USER_INPUT, 280), 250);
    assert.equal(watermark.read(SESSION_INPUT, 290), 260);
  });

  it('may lie before 1970', () => {
    assert.equal(all(-100, -200, 5).current, -220);
  });
});

describe('what holds the watermark back', () => {
  it('is every input at the least event time', () => {
    assert.deepEqual(all(100, 200, 100).holdingBack, [USER_INPUT, MONEY_INPUT]);
    assert.deepEqual(all(100, 50, 100).holdingBack, [SESSION_INPUT]);
  });

  it('is an input without a record before all others', () => {
    const watermark = new Watermark(BEHIND, NONE_YET);
    assert.deepEqual(watermark.holdingBack, [USER_INPUT, SESSION_INPUT, MONEY_INPUT]);
    watermark.read(MONEY_INPUT, 1);
    assert.deepEqual(watermark.holdingBack, [USER_INPUT, SESSION_INPUT]);
  });

  it('is an idle input too: what it brings next may be behind all others', () => {
    const watermark = all(100, 200, 300);
    watermark.setIdle(MONEY_INPUT);
    assert.deepEqual(watermark.holdingBack, [USER_INPUT, MONEY_INPUT]);
    watermark.setIdle(USER_INPUT);
    watermark.setIdle(SESSION_INPUT);
    assert.deepEqual(watermark.holdingBack, [USER_INPUT, SESSION_INPUT, MONEY_INPUT]);
  });
});
