/** The records of a seed: orders, payments and shipments, in no order, some of them twice, some of no use. */
import { partitionOf } from '../../../src/engine/kafka/partitioner.ts';
import type { Random } from '../../../src/engine/random.ts';
import { EPOCH } from '../kernel/scheduler.ts';
import type { OrderRecord } from './model.ts';

export interface OrderArrival {
  readonly input: 0 | 1 | 2;
  readonly partition: number;
  /** When it is written, epoch ms of simulated time. */
  readonly at: number;
  readonly key: string;
  readonly value: string;
  /** Undefined for one that is of no use. */
  readonly says: Omit<OrderRecord, 'offset'> | undefined;
}

/** ms by which a record may be written after its event. */
const DISORDER = 1_500;
/** ms between the first order and the last. */
export const SPAN = 30_000;

/** `from`: event time of the first order, epoch ms; `first`: its number. */
export function trafficOf(
  random: Random,
  partitions: number,
  orders: number,
  { from = EPOCH + 2_000, first = 0 } = {},
): OrderArrival[] {
  const all: OrderArrival[] = [];
  const add = (order: string, input: 0 | 1 | 2, ts: number, fields: object, isUsable = true): void => {
    const value = isUsable ? JSON.stringify({ order, ...fields, at: new Date(ts).toISOString() }) : '{"order":7}';
    all.push({
      input,
      partition: partitionOf(order, partitions),
      at: ts + random.below(DISORDER),
      key: order,
      value,
      says: isUsable ? { order, input, ts, ...fields } : undefined,
    });
  };
  for (let n = first; n < first + orders; n += 1) {
    const order = `o-${n}`;
    const ts = from + random.below(SPAN);
    const total = 100 + random.below(900);
    if (!random.chance(0.05)) add(order, 0, ts, { customer: `c-${random.below(5)}`, total });
    if (random.chance(0.1)) add(order, 0, ts + 1 + random.below(5_000), { customer: 'somebody else', total: 1 });
    const parts = 1 + random.below(3);
    const isShort = random.chance(0.25);
    for (let part = 0; part < parts - (isShort ? 1 : 0); part += 1) {
      const amount = part === parts - 1 ? total - (parts - 1) * Math.floor(total / parts) : Math.floor(total / parts);
      // Some come after the time in which it has to be paid.
      add(order, 1, ts - 1_000 + random.below(random.chance(0.2) ? 80_000 : 10_000), { amount });
    }
    if (!random.chance(0.1)) add(order, 2, ts - 500 + random.below(20_000), { parcel: `p-${n}` });
    if (random.chance(0.1)) add(order, 2, ts + random.below(20_000), { parcel: 'another' });
    if (random.chance(0.1)) add(order, random.pick([0, 1, 2] as const), ts, {}, false);
  }
  return all.sort((a, b) => a.at - b.at);
}
