import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ActivityFailure, DefaultFailureConverter, defaultPayloadConverter } from '@temporalio/common';
import { withLastAttempt } from '../../../../src/engine/workflow/entity/last-attempt.ts';

/** As Temporal's server records an activity whose attempts failed until its time was over. */
const RECORDED = {
  message: 'activity error',
  activityFailureInfo: { activityType: { name: 'lookupSessions' }, activityId: '1', scheduledEventId: 6 as never },
  cause: {
    message: 'Not enough time to schedule next retry before activity ScheduleToClose timeout, giving up retrying',
    timeoutFailureInfo: { timeoutType: 2 },
    cause: { message: 'no usable answer', applicationFailureInfo: { type: 'SessionServiceUnavailable' } },
  },
};

test('a time-out of an activity has the failure of its last attempt as its cause, which the SDK leaves out', () => {
  const error = new DefaultFailureConverter().failureToError(RECORDED, defaultPayloadConverter);
  assert.ok(error instanceof ActivityFailure);
  assert.equal(error.cause?.name, 'TimeoutFailure');
  assert.equal(
    error.cause?.cause,
    undefined,
    'the SDK keeps it by now: src/engine/workflow/entity/last-attempt.ts can go',
  );
  const { cause } = withLastAttempt(error) as Error & { readonly cause: Error & { readonly cause: Error } };
  assert.equal(cause.cause.message, 'no usable answer');
  assert.equal((cause.cause as { type?: unknown }).type, 'SessionServiceUnavailable');
});

test('what is no time-out, or one without attempts, stays as it is', () => {
  assert.equal(withLastAttempt('text'), 'text');
  const { cause: _, ...alone } = RECORDED.cause;
  const error = new DefaultFailureConverter().failureToError({ ...RECORDED, cause: alone }, defaultPayloadConverter);
  assert.equal(((withLastAttempt(error) as Error).cause as Error).cause, undefined);
});

const timeout = (failure?: object, cause?: unknown): Error =>
  Object.assign(new Error('timed out', cause === undefined ? {} : { cause }), { name: 'TimeoutFailure', failure });

test('all that is recorded below the last attempt is kept, with its types where it has one', () => {
  const recorded = { message: 'outer', applicationFailureInfo: { type: 'T' }, cause: { message: null } };
  const error = timeout({ cause: recorded });
  assert.equal(withLastAttempt(error), error);
  const outer = error.cause as Error & { type?: unknown };
  assert.deepEqual([outer.message, outer.type], ['outer', 'T']);
  const inner = outer.cause as Error;
  assert.deepEqual([inner.message, 'type' in inner, 'cause' in inner], ['', false, false]);
});

test('a cause that is there stays, and only a time-out gets one', () => {
  const cause = new Error('known');
  const known = timeout({ cause: { message: 'recorded' } }, cause);
  withLastAttempt(known);
  assert.equal(known.cause, cause);
  const other = Object.assign(new Error('no'), { failure: { cause: { message: 'recorded' } } });
  withLastAttempt(other);
  assert.equal(other.cause, undefined);
  const without = timeout();
  withLastAttempt(without);
  assert.equal(without.cause, undefined);
});
