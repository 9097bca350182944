/**
 * Orders, payments and shipments, as the simulation has them, without an end. The records of a slice come within 500 ms of event
 * time and at most 1.5 s after their events, so that none is late. A beat is an order that is paid and shipped at once.
 */
import { partitionOf } from '../../../../src/engine/kafka/partitioner.ts';
import type { OutRecord } from '../../../../src/engine/kafka/port.ts';
import { Random } from '../../../../src/engine/random.ts';
import { SPAN, trafficOf, type OrderArrival } from '../../../simulation/orders/traffic.ts';
import { SLICES_PER_SECOND } from '../app.ts';
import type { AppOptions, Slice, TrafficSource } from '../app.ts';

/** Event time to wall clock. */
const SPEED = 2;
const SLICE = (1_000 / SLICES_PER_SECOND) * SPEED;
const START = Date.UTC(2026, 0, 5);
/** An arrival is so much earlier than its order, ms, at most. */
const EARLIEST = 1_000;
/** Of an order, as the generator makes them. */
const RECORDS = 3.9;
/** Event time that passes after the last record, ms: more than a payment takes. */
const AFTERWARDS = 200_000;
const FIELDS: readonly object[] = [{ customer: 'beat', total: 1 }, { amount: 1 }, { parcel: 'beat' }];

type Plan = Pick<AppOptions, 'seed' | 'partitions' | 'rate' | 'seconds'>;

export function ordersTraffic(plan: Plan): TrafficSource {
  return {
    slices: () => slicesOf(plan),
    closing: (eventTime) =>
      [1, 2].map((nth) => {
        const timestamp = eventTime + nth * AFTERWARDS;
        return { timestamp, records: beatsOf(timestamp, plan.partitions) };
      }),
  };
}

function* slicesOf({ seed, partitions, rate, seconds }: Plan): Generator<Slice> {
  const random = new Random(seed);
  const orders = Math.max(1, Math.round(((rate - 3 * partitions) * SPAN) / 1_000 / SPEED / RECORDS));
  const waiting: OrderArrival[] = [];
  let first = 0;
  let complete = START;
  for (let index = 1; index <= seconds * SLICES_PER_SECOND; index += 1) {
    const timestamp = START + index * SLICE;
    while (complete < timestamp) {
      waiting.push(...trafficOf(random, partitions, orders, { from: complete + EARLIEST, first }));
      waiting.sort((a, b) => a.at - b.at);
      first += orders;
      complete += SPAN;
    }
    const later = waiting.findIndex(({ at }) => at >= timestamp);
    const slice = waiting.splice(0, later < 0 ? waiting.length : later);
    const beats = index % SLICES_PER_SECOND === 0 ? beatsOf(timestamp, partitions) : FIELDS.map(() => []);
    yield {
      timestamp,
      records: FIELDS.map((_, input) => [
        ...slice.filter((one) => one.input === input).map(({ key, value }) => ({ key, value, timestamp })),
        ...beats[input]!,
      ]),
    };
  }
}

/** By input. */
function beatsOf(timestamp: number, partitions: number): OutRecord[][] {
  const names = new Map<number, string>();
  for (let n = 0; names.size < partitions; n += 1) {
    const name = `beat-${timestamp}-${n}`;
    if (!names.has(partitionOf(name, partitions))) names.set(partitionOf(name, partitions), name);
  }
  const at = new Date(timestamp).toISOString();
  return FIELDS.map((fields) =>
    [...names.values()].map((order) => ({ key: order, value: JSON.stringify({ order, ...fields, at }), timestamp })),
  );
}

/** That of a beat. */
export function eventTimeIn(order: string): number {
  const [, time] = /^beat-(\d+)-/.exec(order) ?? [];
  return time === undefined ? -Infinity : Number(time);
}
