/** What happens to an order. Pure: nothing of Kafka, of Temporal, or of the time. */

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
  /** What became of it, once. */
  outcome?: 'delivered' | 'unpaid';
}

/** The record of the output topic. */
export type Outcome =
  | {
      readonly order: string;
      readonly outcome: 'delivered';
      readonly customer: string;
      readonly city: string;
      readonly paid: number;
      readonly parcel: string;
    }
  | { readonly order: string; readonly outcome: 'unpaid'; readonly customer: string; readonly missing: number };

export function apply(order: Order, event: OrderEvent): void {
  switch (event.type) {
    case 'ordered':
      order.customer ??= event.customer;
      order.total = event.total;
      return;
    case 'paid':
      order.paid += event.amount;
      return;
    case 'shipped':
      order.parcel ??= event.parcel;
  }
}

export const isOrdered = (order: Order): boolean => order.customer !== undefined;
export const isPaid = (order: Order): boolean => isOrdered(order) && order.paid >= order.total;
export const isShipped = (order: Order): boolean => order.parcel !== undefined;
