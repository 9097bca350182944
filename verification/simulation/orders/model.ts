/**
 * What has to come out of the records of orders, written apart from the rules of the example: not record by record, but by what
 * is true of all of them. Expects that nothing is late.
 */

/** A usable record. */
export interface OrderRecord {
  readonly order: string;
  /** Of the topic, in the order of equal times. */
  readonly input: 0 | 1 | 2;
  readonly offset: number;
  /** Event time, epoch ms. */
  readonly ts: number;
  readonly customer?: string;
  readonly total?: number;
  readonly amount?: number;
  readonly parcel?: string;
}

const PAYMENT_TIME = 60_000;

/** Values of the output topic, by order; none of an order of which nothing is decided. `until`: event time that every partition has passed. */
export function expectedOf(records: readonly OrderRecord[], until: number): Map<string, object> {
  const outcomes = new Map<string, object>();
  const byOrder = new Map<string, OrderRecord[]>();
  for (const record of records) {
    const own = byOrder.get(record.order);
    if (own === undefined) byOrder.set(record.order, [record]);
    else own.push(record);
  }
  for (const [order, own] of byOrder) {
    const outcome = outcomeOf(
      own.sort((a, b) => a.ts - b.ts || a.input - b.input || a.offset - b.offset),
      until,
    );
    if (outcome !== undefined) outcomes.set(order, { order, ...outcome });
  }
  return outcomes;
}

function outcomeOf(records: readonly OrderRecord[], until: number): object | undefined {
  const ordered = records.findIndex(({ input }) => input === 0);
  const shipped = records.findIndex(({ input }) => input === 2);
  if (ordered < 0) return undefined;
  const { customer, total = 0, ts } = records[ordered]!;
  const paidUpTo = (last: number): number =>
    records.slice(0, last + 1).reduce((sum, { amount = 0 }) => sum + amount, 0);
  const paid = records.findIndex((_, at) => at >= ordered && paidUpTo(at) >= total);
  const payBy = ts + PAYMENT_TIME;
  if (paid < 0 || records[paid]!.ts > payBy) {
    const inTime = records.findLastIndex((record, at) => at <= ordered || record.ts <= payBy);
    return until > payBy ? { outcome: 'unpaid', customer, missing: total - paidUpTo(inTime) } : undefined;
  }
  if (shipped < 0) return undefined;
  const complete = Math.max(paid, shipped);
  return {
    outcome: 'delivered',
    customer,
    city: `the city of ${customer}`,
    paid: paidUpTo(complete),
    parcel: records[shipped]!.parcel,
  };
}
