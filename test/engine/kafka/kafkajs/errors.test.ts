import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CodedError } from '../../../../src/engine/errors.ts';
import { requestError } from '../../../../src/engine/kafka/kafkajs/errors.ts';

const refused = Object.assign(new Error('Connection error: connect ECONNREFUSED 127.0.0.1:1'), {
  name: 'KafkaJSConnectionError',
});

test('a message does not quote itself: what was said already is not said around it again', () => {
  const once = requestError(['127.0.0.1:1'], 'describing topics', refused);
  assert.equal(
    once.message,
    'Kafka at 127.0.0.1:1 does not answer (Connection error: connect ECONNREFUSED 127.0.0.1:1): check KAFKA_BROKERS, and that the brokers run',
  );
  assert.equal(requestError(['127.0.0.1:1'], 'preparing the topics', once).message, once.message);
  const inner = new CodedError('KAFKA', `describing topics failed: ${refused.message}`, { cause: refused });
  assert.equal(requestError(['127.0.0.1:1'], 'preparing the topics', inner).message, once.message);
});
