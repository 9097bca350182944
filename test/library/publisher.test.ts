import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NativeConnection } from '@temporalio/worker';
import { silentLogger } from '../../src/library/kafka.ts';
import { createPublisher, type PublisherOptions } from '../../src/library/publisher.ts';
import { kafkaInMemory } from '../../src/library/testing.ts';

/** How it ends that cannot begin: before any worker of Temporal's is made. */
async function refusalOf(
  topics: Readonly<Record<string, number>>,
  options: Partial<PublisherOptions<object>> = {},
): Promise<string> {
  const kafka = kafkaInMemory();
  for (const [topic, partitions] of Object.entries(topics)) kafka.createTopic(topic, partitions);
  const publisher = createPublisher<object>({
    appId: 'invoicing',
    topic: 'invoices',
    kafka: kafka.port('publisher'),
    encode: (invoice, key) => ({ key, value: JSON.stringify(invoice) }),
    connection: {} as NativeConnection,
    logger: silentLogger(),
    ...options,
  });
  try {
    await publisher.run();
  } catch (error) {
    assert.equal((error as { readonly code?: unknown }).code, 'TOPIC');
    return (error as Error).message;
  }
  return assert.fail('it began');
}

test('a publisher says which topic is missing, or has other partitions than the rest', async () => {
  assert.match(await refusalOf({}), /^the topic "invoices" does not exist: create it first$/);
  assert.match(
    await refusalOf({ invoices: 4 }),
    /^the ledger topic "invoices-ledger" does not exist: create it with 4 partitions/,
  );
  assert.match(await refusalOf({ invoices: 4, 'invoices-ledger': 3 }), /^the ledger topic "invoices-ledger" has 3 /);
});

test('shards that are not the partitions of the topic are refused: their workflows would wait where nobody works', async () => {
  assert.equal(
    await refusalOf({ invoices: 4, 'invoices-ledger': 4 }, { shards: 8 }),
    'the topic "invoices" has 4 partitions, and shards is 8: they must be equal, and never change',
  );
});
