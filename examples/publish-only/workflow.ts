/** A workflow that people already have: it sends a customer an invoice every so often. New are the lines with `outbox`. */
import { continueAsNew, sleep } from '@temporalio/workflow';
import { Outbox, type OutboxState } from 'money-enrichment/workflow';

export interface Invoice {
  readonly customer: string;
  readonly number: number;
}

/** Partitions of the topic "invoices". */
export const SHARDS = 4;
/** Invoices of a run. */
const RUN = 20;

export async function invoices(
  customer: string,
  count: number,
  next = 1,
  carried?: OutboxState<Invoice>,
): Promise<void> {
  const outbox = new Outbox<Invoice>({ appId: 'invoicing', shards: SHARDS, key: customer, carried });
  for (let number = next; number <= count; number += 1) {
    if (number === next + RUN) return continueAsNew<typeof invoices>(customer, count, number, outbox.carried);
    await sleep(100);
    outbox.emit({ customer, number });
    await outbox.flush();
  }
}
