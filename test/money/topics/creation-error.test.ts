import assert from 'node:assert/strict';
import { test } from 'node:test';
import { creationError, creationErrors } from '../../../src/money/topics/creation-error.ts';

/** As kafkajs throws it. */
const aggregate = (...errors: readonly (readonly [topic: string, type: string, message: string])[]) =>
  Object.assign(new Error('Topic creation errors'), {
    errors: errors.map(([topic, type, message]) => Object.assign(new Error(message), { topic, type })),
  });

test('topics that are refused are named, with why, and those that were created', () => {
  const error = aggregate(
    ['ledger', 'POLICY_VIOLATION', 'Request parameters do not satisfy the configured policy'],
    ['money', 'TOPIC_ALREADY_EXISTS', 'Topic with this name already exists'],
  );
  const { code, message } = creationError(error, ['money', 'user', 'ledger']) as { code: string; message: string };
  assert.equal(code, 'KAFKA');
  assert.equal(
    message,
    'the brokers do not create ledger (POLICY_VIOLATION: Request parameters do not satisfy the configured policy); created, or there by now: money, user',
  );
  assert.deepEqual(creationErrors(error), ['POLICY_VIOLATION', 'TOPIC_ALREADY_EXISTS']);
});

test('where none was created, that is said', () => {
  const error = aggregate(['ledger', 'TOPIC_AUTHORIZATION_FAILED', 'Not authorized']);
  assert.match((creationError(error, ['ledger']) as Error).message, /; no topic was created$/);
});

test('any other error stays what it is', () => {
  const error = Object.assign(new Error('gone'), { type: 'NOT_CONTROLLER' });
  assert.equal(creationError(error, ['ledger']), error);
  assert.deepEqual(creationErrors(error), ['NOT_CONTROLLER']);
});
