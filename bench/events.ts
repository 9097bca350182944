/** Events of benchmarks, by hand: as small as they come. */
import { randomUUID } from 'node:crypto';
import type { ProducedRecord } from '../test/support/system.ts';

/** Money without a session, unless `fields` says otherwise. */
export function money(userId: string, ts: number, fields: object): ProducedRecord {
  return record('money', userId, ts, {
    type: 'PaymentEvent',
    id: randomUUID(),
    amount: 1,
    openingBalance: 1,
    closingBalance: 1,
    currency: 'EUR',
    moneyType: 'BET',
    paymentRelatedThing: 'x',
    isOldMoneyEvent: false,
    ...fields,
  });
}

/** `ts`: its event time and its Kafka timestamp, epoch ms. */
export function record(input: ProducedRecord['input'], userId: string, ts: number, fields: object): ProducedRecord {
  return {
    input,
    key: `"${userId}"`,
    value: JSON.stringify({ userId, processedAt: new Date(ts).toISOString(), ...fields }),
    timestamp: ts,
  };
}

/** Of each input, one of this user that only says what time it is. */
export function timeEvents(userId: string, ts: number): ProducedRecord[] {
  return [
    record('user', userId, ts, { type: 'OtherUserEvent', id: randomUUID(), somethingUtil: 'x' }),
    record('session', userId, ts, { type: 'UserSessionClosedEvent', id: randomUUID(), reason: 'x' }),
    record('money', userId, ts, { type: 'KindOfWalletEvent', id: randomUUID(), somethingInteresting: 'x' }),
  ];
}
