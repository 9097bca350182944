/** What happens to an order. Pure: nothing of Kafka, of Temporal, or of the clock. */
import type { PlainEntity } from 'money-enrichment/workflow';

export type OrderEvent =
  | { readonly type: 'ordered'; readonly customer: string; readonly total: number }
  | { readonly type: 'paid'; readonly amount: number }
  | { readonly type: 'shipped'; readonly parcel: string };

export interface Order {
  customer?: string;
  /** Cents. */
  total: number;
  paid: number;
  parcel?: string;
  /** Event time by which it has to be paid, epoch ms. */
  payBy?: number;
  state: 'open' | 'asked' | 'delivered' | 'unpaid';
}

/** The record of the output topic. `city` is missing where nobody could tell it in time. */
export type Outcome =
  | {
      readonly order: string;
      readonly outcome: 'delivered';
      readonly customer: string;
      readonly city?: string;
      readonly paid: number;
      readonly parcel: string;
    }
  | { readonly order: string; readonly outcome: 'unpaid'; readonly customer: string; readonly missing: number };

/** ms of event time from the order to its payment. */
const PAYMENT_TIME = 60_000;

export const orders: PlainEntity<Order, OrderEvent, Outcome, string, string> = {
  initial: () => ({ total: 0, paid: 0, state: 'open' }),
  apply(order, { event, ts }, step) {
    if (order.state !== 'open') return;
    if (event.type === 'paid') order.paid += event.amount;
    if (event.type === 'shipped') order.parcel ??= event.parcel;
    if (event.type === 'ordered' && order.customer === undefined) {
      Object.assign(order, { customer: event.customer, total: event.total, payBy: ts + PAYMENT_TIME });
    }
    if (order.customer === undefined || order.parcel === undefined || order.paid < order.total) return;
    order.state = 'asked';
    step.ask(order.customer);
  },
  // The timer is one of event time: what comes out does not depend on when somebody looks.
  advance(order, { key, eventTime, emit }) {
    const { customer, total, paid, payBy = Infinity } = order;
    if (order.state !== 'open' || customer === undefined || paid >= total || eventTime! <= payBy) return;
    order.state = 'unpaid';
    emit({ order: key, outcome: 'unpaid', customer, missing: total - paid });
  },
  wakeAt: ({ state, total, paid, payBy }) => ({ eventTime: state === 'open' && paid < total ? payBy : undefined }),
  questions: { activity: 'cityOf', giveUpAfter: 60_000 },
  answered(order, customer, city, { key, emit }) {
    order.state = 'delivered';
    emit({
      order: key,
      outcome: 'delivered',
      customer,
      ...(city !== undefined && { city }),
      paid: order.paid,
      parcel: order.parcel!,
    });
  },
};
