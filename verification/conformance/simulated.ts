/** The simulated Kafka as the suite sees it. */
import { SimProcess } from '../simulation/kernel/process.ts';
import { Scheduler } from '../simulation/kernel/scheduler.ts';
import { SimKafka } from '../simulation/kafka/sim-kafka.ts';
import { TRANSACTION_TIMEOUT } from '../../src/engine/kafka/kafkajs/transactional-producer.ts';
import type { KafkaPort } from '../../src/engine/kafka/port.ts';
import type { KafkaUnderTest } from '../../src/library/conformance.ts';

/** ms of simulated time for one test */
const LIMIT = 900_000;

/** Runs the body against a Kafka of its own. */
export async function runSimulated(
  seed: number,
  body: (kafka: Required<KafkaUnderTest>) => Promise<void>,
): Promise<void> {
  const scheduler = new Scheduler(seed);
  let settled = false;
  const over = body(simulatedKafka(scheduler)).finally(() => (settled = true));
  over.catch(() => undefined); // thrown below
  if (!(await scheduler.run(() => settled, LIMIT))) throw new Error(`the test waits for ever (seed ${seed})`);
  await over;
}

function simulatedKafka(scheduler: Scheduler): Required<KafkaUnderTest> {
  const kafka = new SimKafka(scheduler);
  const processes = new Map<string, { readonly process: SimProcess; readonly port: KafkaPort }>();
  const outside = new SimProcess(scheduler, 'test');
  let names = 0;
  const uniqueId = (prefix: string): string => `${prefix}-${++names}`;
  const processOf = (name: string): { readonly process: SimProcess; readonly port: KafkaPort } => {
    let found = processes.get(name);
    if (found === undefined) {
      const process = new SimProcess(scheduler, name);
      found = { process, port: kafka.port(process) };
      processes.set(name, found);
    }
    return found;
  };
  return {
    port: (name) => processOf(name).port,
    kill: (name) => processOf(name).process.kill(),
    async topic(partitions = 1) {
      const topic = uniqueId('topic');
      kafka.createTopic(topic, partitions);
      return topic;
    },
    uniqueId,
    async restart() {
      kafka.stop();
      await outside.clock.sleep(scheduler.random.below(8_000));
      kafka.start();
    },
    deleteBefore: async (topic, partition, offset) => kafka.deleteBefore(topic, partition, offset),
    async losing(_process, _step, lost, run) {
      const { faults, counts } = kafka.server;
      const lostSoFar = (): number => counts.lostRequests + counts.lostAnswers;
      const before = lostSoFar();
      faults[lost === 'request' ? 'lostRequest' : 'lostAnswer'] = 1;
      const running = run();
      running.catch(() => undefined); // thrown below
      while (lostSoFar() === before) await outside.clock.sleep(1);
      Object.assign(faults, { lostRequest: 0, lostAnswer: 0 });
      return running;
    },
    committed: async (topic, partition = 0) => kafka.committed(topic, partition).map(({ value }) => String(value)),
    transactionTimeout: TRANSACTION_TIMEOUT,
    sleep: (ms) => outside.clock.sleep(ms),
    now: () => scheduler.now,
  };
}
