import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MAX_FORWARDED } from '../../../src/money/domain/forwarded.ts';
import { traceOf, withTrace } from '../../../src/money/domain/traced.ts';
import type { Header } from '../../../src/money/domain/types.ts';

const trace = (value: string): Header => ({ name: 'traceparent', value });
const other = (name: string): Header => ({ name, value: `of ${name}` });
const handingOn = (...headers: Header[]) => ({ id: 'm', forwarded: { headers } });

describe('the trace of money', () => {
  it('is the text of the header', () => {
    assert.equal(traceOf(handingOn(other('a'), trace('t'), other('b'))), 't');
  });

  it('is the last of several', () => {
    assert.equal(traceOf(handingOn(trace('t'), trace('u'), other('b'))), 'u');
  });

  it('is not there where the header is not, and where there is none at all', () => {
    assert.equal(traceOf(handingOn(other('a'))), undefined);
    assert.equal(traceOf(handingOn()), undefined);
    assert.equal(traceOf({}), undefined);
  });
});

describe('money with another trace', () => {
  it('has it before the other headers, in the place of its own', () => {
    const money = handingOn(other('a'), trace('t'), other('b'), trace('u'));
    assert.deepEqual(withTrace(money, 'new'), handingOn(trace('new'), other('a'), other('b')));
    // What was given is as it was.
    assert.equal(traceOf(money), 'u');
  });

  it('has it alone where it had no header', () => {
    const money: { readonly id: string; readonly forwarded?: { readonly headers: readonly Header[] } } = { id: 'm' };
    assert.deepEqual(withTrace(money, 'new'), handingOn(trace('new')));
  });

  it('is as it was where there is no room for one more header', () => {
    const others = Array.from({ length: MAX_FORWARDED.headers }, (_, n) => other(`h${n}`));
    const full = handingOn(...others);
    assert.equal(withTrace(full, 'new'), full);
    // Its own makes room.
    const last = handingOn(...others.slice(1), trace('t'));
    assert.deepEqual(withTrace(last, 'new'), handingOn(trace('new'), ...others.slice(1)));
  });
});
