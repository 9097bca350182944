/** What the records of the three topics say. */
import type { Decoded, RawKafkaRecord } from 'money-enrichment/bridge';
import type { OrderEvent } from './rules.js';

type Fields = Readonly<Record<string, unknown>>;

/** Values are JSON: `order` and `at` (ISO 8601) of every record, and what the topic's event has. */
function decoderOf(read: (fields: Fields) => OrderEvent | undefined): (record: RawKafkaRecord) => Decoded<OrderEvent> {
  return ({ value }) => {
    let fields: Fields;
    try {
      fields = Object(JSON.parse(String(value))) as Fields;
    } catch {
      return { ok: false, reason: 'malformed', detail: 'value: expected JSON' };
    }
    const { order, at } = fields;
    const event = read(fields);
    const ts = typeof at === 'string' ? Date.parse(at) : NaN;
    if (typeof order !== 'string' || Number.isNaN(ts) || event === undefined) {
      return { ok: false, reason: 'invalid', detail: 'a field is missing or of another type' };
    }
    return { ok: true, key: order, ts, event, urgent: true };
  };
}

const text = (value: unknown): value is string => typeof value === 'string' && value !== '';
const cents = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;

/** In the order of equal times. */
export const inputs = [
  {
    topic: 'orders',
    decode: decoderOf(({ customer, total }) =>
      text(customer) && cents(total) ? { type: 'ordered', customer, total } : undefined,
    ),
  },
  {
    topic: 'order-payments',
    decode: decoderOf(({ amount }) => (cents(amount) ? { type: 'paid', amount } : undefined)),
  },
  {
    topic: 'order-shipments',
    decode: decoderOf(({ parcel }) => (text(parcel) ? { type: 'shipped', parcel } : undefined)),
  },
];
