/**
 * `money-enrichment/kafka/conformance`: what the bridge and the publisher rely on in a {@link KafkaPort}, as tests of Node's test
 * runner (`node --test`), for whoever has a client of their own. `kafkajs` of `money-enrichment/kafka` passes all of them.
 *
 * @module
 */
import { declaring } from './conformance/declare.ts';
import { groups } from './conformance/groups.ts';
import type { Runner } from './conformance/kafka-under-test.ts';
import { restarts } from './conformance/restarts.ts';
import { transactions } from './conformance/transactions.ts';

export type { KafkaUnderTest, Runner } from './conformance/kafka-under-test.ts';

/**
 * Declares the tests: transactions and fencing, consumer groups, a broker that is killed. They write to topics that they ask for, take
 * some minutes, and are made for members with a session time-out of 10 s at most. A port fails with a `CodedError` whose `code` is
 * what the docstrings of the port say.
 */
export function conformance(run: Runner): void {
  const declare = declaring(run);
  transactions(declare);
  groups(declare);
  restarts(declare);
}
