import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workflowIdsOf } from '../../src/money/workflow-ids.ts';

const USER = '6f1c2a34-7b58-4c1d-9e0a-51d2c3b4a5f6';

test('without a key the user id is in the workflow id', () => {
  assert.equal(workflowIdsOf({ appId: 'money-enrichment' })(USER), `money-enrichment/${USER}`);
});

test('with a key it is HMAC-SHA256, in hex', () => {
  // printf %s USER | openssl dgst -sha256 -hmac KEY
  const ids = workflowIdsOf({ appId: 'app', userIdHashKey: '0123456789abcdef0123456789abcdef' });
  assert.equal(ids(USER), 'app/80fca1c65121359277fdb1eecc540778dd527a5fb3a647b1e1b3ace30fbf0160');
});
