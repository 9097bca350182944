/** One user's scripted day: each thing that can happen to money, once, in an order that can be told. */
import * as text from '../generate/event-text.ts';
import { isoOf } from '../../engine/workflow/iso.ts';
import type { MoneyText } from '../generate/event-text.ts';
import type { Plan } from './plan.ts';

const MINUTE = 60_000;

/** `yesterday` and `today`: begin of the two stretches, epoch ms, a session TTL apart. */
export function planHero(plan: Plan, userId: string, yesterday: number, today: number): void {
  const { random } = plan;
  const [first, second, never, unheardOf] = [random.uuid(), random.uuid(), random.uuid(), random.uuid()];
  const session = (id: string, ts: number, country: string): void =>
    plan.add(text.sessionCreated(id, userId, isoOf(ts), country), ts);
  const address = (ts: number, country: string): void =>
    plan.add(text.addressChanged(random.uuid(), userId, isoOf(ts), country), ts);
  const money = (
    moneyType: string,
    amount: string,
    userSessionId: string | null,
    rest: Partial<MoneyText> = {},
  ): MoneyText => ({
    type: 'PaymentEvent',
    id: random.uuid(),
    userId,
    userSessionId,
    amount,
    openingBalance: '1000.00',
    closingBalance: '990.10',
    currency: 'EUR',
    moneyType,
    isOldMoneyEvent: false,
    ...rest,
  });
  const send = (what: MoneyText, ts: number, arrival?: number): void =>
    plan.add(text.moneyEvent(what, isoOf(ts)), ts, arrival);

  session(first, yesterday + 5 * MINUTE, 'SE');
  plan.add(text.birthDateChanged(random.uuid(), userId, isoOf(yesterday + 6 * MINUTE), '1984'), yesterday + 6 * MINUTE);
  address(yesterday + 7 * MINUTE, 'DE');
  send(money('BET', '12.50', first), yesterday + 10 * MINUTE);

  const twice = money('BET', '0.10', first);
  send(twice, today + 2 * MINUTE);
  send(twice, today + 2 * MINUTE);
  send(money('WIN', '100.00', first), today + 9 * MINUTE); // the session ended at minute 5
  send(money('DEPOSIT', '250.00', second), today + 20 * MINUTE); // its session begins at minute 24
  session(second, today + 24 * MINUTE, 'BR');
  address(today + 35 * MINUTE, 'JP');
  send(money('BET', '5.00', second), today + 40 * MINUTE);
  send(money('WITHDRAWAL', '-70', second, { isOldMoneyEvent: true }), today + 41 * MINUTE);
  send(money('BONUS', '1E+1', null), today + 45 * MINUTE);
  send(money('BET', '3.00', second), today + 28 * MINUTE, today + 50 * MINUTE); // late: before the move to JP
  send(money('WIN', '8.00', unheardOf), today + 31 * MINUTE, today + 55 * MINUTE); // late, and its session unknown
  send(money('REFUND', '9.99', never), today + 60 * MINUTE); // looked up when an hour is over
  send(money('BET', '0.1234567890123456789012345678901234567890', second), today + 122 * MINUTE);
  send(twice, today + 125 * MINUTE); // long after the dedup TTL: another payment under the same id
  const wrong = text.moneyEvent(money('BET', '2.00', second, { currency: 'EURO' }), isoOf(today + 130 * MINUTE));
  plan.add(wrong, today + 130 * MINUTE);
}
