/**
 * The conformance suite as somebody runs it: `node --test` on this file, which declares it for a Kafka that can do no more than every
 * Kafka. With `WITHOUT_FENCING` its ports take a transactional id without fencing who had it.
 */
import type { KafkaPort } from '../../src/engine/kafka/port.ts';
import { conformance } from '../../src/library/conformance.ts';
import { runSimulated } from '../../verification/conformance/simulated.ts';

const withoutFencing = process.env['WITHOUT_FENCING'] !== undefined;
let taken = 0;

function weakened(port: KafkaPort): KafkaPort {
  return { ...port, fence: (id) => port.fence(`${id}-${(taken += 1)}`) };
}

conformance((_, body) =>
  runSimulated(1, async ({ port, topic, committed, sleep, now }) =>
    body({
      port: (process) => (withoutFencing ? weakened(port(process)) : port(process)),
      topic,
      committed,
      sleep,
      now,
    }),
  ),
);
