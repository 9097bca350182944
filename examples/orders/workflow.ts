/** The workflow of an order: it waits for what belongs together, asks where the customer lives, and says once what became of it. */
import {
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  proxyActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { Outbox, Received, type OutboxState, type ReceivedBatch, type Redelivery } from 'money-enrichment/workflow';
import { apply, isOrdered, isPaid, isShipped, type Order, type OrderEvent, type Outcome } from './rules.js';

/** Partitions of the topic "order-outcomes". */
export const SHARDS = 4;
/** From the order to its payment. */
const PAYMENT_TIME = '1 minute';

export interface Activities {
  cityOf(customer: string): Promise<string>;
}
interface Carried {
  readonly order: Order;
  readonly received: Redelivery;
  readonly outbox: OutboxState<Outcome>;
}

const { cityOf } = proxyActivities<Activities>({ startToCloseTimeout: '10 seconds' });

export async function order(carried?: Carried): Promise<never> {
  const id = workflowInfo().workflowId.replace('order/', '');
  const state: Order = carried?.order ?? { total: 0, paid: 0 };
  const received = new Received(carried?.received);
  const outbox = new Outbox<Outcome>({ appId: 'orders', shards: SHARDS, key: id, carried: carried?.outbox });
  setHandler(defineSignal<[ReceivedBatch<OrderEvent>]>('events'), (batch) => {
    for (const { event } of received.admit(batch)) apply(state, event);
  });
  setHandler(defineQuery<Order>('order'), () => state);

  if (state.outcome === undefined) {
    await condition(() => isOrdered(state));
    if (await condition(() => isPaid(state), PAYMENT_TIME)) {
      await condition(() => isShipped(state));
      const city = await cityOf(state.customer!);
      state.outcome = 'delivered';
      outbox.emit({
        order: id,
        outcome: 'delivered',
        customer: state.customer!,
        city,
        paid: state.paid,
        parcel: state.parcel!,
      });
    } else {
      state.outcome = 'unpaid';
      outbox.emit({ order: id, outcome: 'unpaid', customer: state.customer!, missing: state.total - state.paid });
    }
  }
  await outbox.flush();
  // It does not end: what it has received it knows, and a record may be signalled again.
  await condition(() => workflowInfo().historyLength > 1_000);
  return continueAsNew<typeof order>({ order: state, received: received.carried, outbox: outbox.carried });
}
