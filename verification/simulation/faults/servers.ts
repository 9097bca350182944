/** Servers that are down, cut off, slow or lossy as a whole, and what happens at Kafka to all of its clients. */
import { bridgeGroupOf, shardGroupOf, shardTransactionalIdOf } from '../../../src/engine/naming.ts';
import type { KafkaPort } from '../../../src/engine/kafka/port.ts';
import { NO_FAULTS, type NetworkFaults, type SimServer } from '../kernel/network.ts';
import { SimProcess } from '../kernel/process.ts';
import { APP, TOPICS } from '../system.ts';
import { GROUP_RECOVERY, LONGEST_OUTAGE, type CarryOut, type Machines, type Strike } from './fault.ts';

type System = Machines['system'];

const DISTURBED: Strike = { touches: ['everything'], recovery: GROUP_RECOVERY };
const UNDISTURBED: Strike = { touches: [], recovery: 0 };
const LOSSY: NetworkFaults = { ...NO_FAULTS, lostRequest: 0.1, lostAnswer: 0.15 };
const SLOW: NetworkFaults = { ...NO_FAULTS, slow: 0.3, longDelay: 8_000 };

function down(server: SimServer, stopped: () => void, started: () => void, lasts: number): Strike | undefined {
  if (!server.up) return undefined;
  stopped();
  return {
    ...DISTURBED,
    lasts: Math.min(lasts, LONGEST_OUTAGE),
    end: () => {
      if (!server.up) started();
    },
  };
}

function cut(which: (system: System) => SimServer): CarryOut<Machines> {
  return ({ system, scheduler }, lasts) => {
    const hit = system.pick(scheduler.random.pick(['bridge', 'worker']));
    if (hit === undefined) return undefined;
    const server = which(system);
    server.cut(hit.process);
    return { ...DISTURBED, lasts: Math.min(lasts, LONGEST_OUTAGE), end: () => server.join(hit.process) };
  };
}

function network(which: (system: System) => SimServer, faults: NetworkFaults): CarryOut<Machines> {
  return ({ system }, lasts) => {
    const server = which(system);
    server.faults = { ...faults };
    return { ...DISTURBED, lasts, end: () => void (server.faults = { ...NO_FAULTS }) };
  };
}

/** Somebody else takes the transactional id, writes nothing and is gone. */
function fence(transactionalId: (world: Machines) => string): CarryOut<Machines> {
  return (world) => {
    const intruder = new SimProcess(world.scheduler, 'intruder');
    const port: KafkaPort = world.system.kafka.port(intruder);
    port.fence(transactionalId(world)).then(
      (producer) => producer.close(),
      () => undefined,
    );
    return DISTURBED;
  };
}

const kafka = (system: System): SimServer => system.kafka.server;
const temporal = (system: System): SimServer => system.temporal.server;

export const SERVER_FAULTS = {
  'kafka down': ({ system }, lasts) =>
    down(
      system.kafka.server,
      () => system.kafka.stop(),
      () => system.kafka.start(),
      lasts,
    ),
  'temporal down': ({ system }, lasts) =>
    down(
      system.temporal.server,
      () => system.temporal.stop(),
      () => system.temporal.start(),
      lasts,
    ),
  'cut from kafka': cut(kafka),
  'cut from temporal': cut(temporal),
  'lossy kafka': network(kafka, LOSSY),
  'lossy temporal': network(temporal, LOSSY),
  'slow kafka': network(kafka, SLOW),
  'slow temporal': network(temporal, SLOW),
  'rebalance bridges': ({ system }) => {
    system.kafka.rebalance(bridgeGroupOf(APP));
    return DISTURBED;
  },
  'rebalance workers': ({ system }) => {
    system.kafka.rebalance(shardGroupOf(APP));
    return DISTURBED;
  },
  'fence shard': fence(({ scheduler, scenario }) =>
    shardTransactionalIdOf(APP, scheduler.random.below(scenario.shards)),
  ),
  'fence triple': fence(({ scheduler, scenario }) => `${APP}-bridge-${scheduler.random.below(scenario.partitions)}`),
  retention: ({ system, scenario }) => {
    for (let shard = 0; shard < scenario.shards; shard += 1) system.expire(shard);
    return UNDISTURBED;
  },
  compaction: ({ system }) => {
    system.kafka.compact(TOPICS.ledger);
    return UNDISTURBED;
  },
} satisfies Readonly<Record<string, CarryOut<Machines>>>;
