/**
 * Marked personal data, and records that carry it down every path. What a mark may reach is said beside it; the test
 * looks for each where it need not be. `lookupBody` is short: errors of parsers quote a few characters only.
 */
import type { MoneyInput } from '../../src/money/domain/events.ts';
import type { ProducedRecord } from '../support/system.ts';

/** Fields that no rule uses, and what cannot be used at all: they stay in Kafka's own topics. */
export const UNUSED = {
  address: 'canary-address-4411',
  birthPlace: 'canary-birthplace-4412',
  postalCode: 'canary-postal-4413',
  interesting: 'canary-interesting-4414',
  util: 'canary-util-4415',
  reason: 'canary-reason-4416',
  related: 'canary-related-4417',
  openingBalance: '417041.804418',
  extra: 'canary-extra-4419',
  key: 'canary-key-4420',
  malformed: 'canary-malformed-4421',
  invalid: 'canary-invalid-4422',
  lookupExtra: 'canary-lookup-extra-4423',
  lookupBody: 'lb44x24z',
  lookupLocation: 'canary-lookup-location-4425',
  lookupError: 'canary-lookup-error-4426',
  foreignKey: 'canary-foreign-key-4427',
  foreignValue: 'canary-foreign-value-4428',
} as const;

/** What the rules work on: in Temporal's payloads, since it is the state, and in the values of outputs. Nowhere else. */
export const STATE = {
  user: 'ca4a0000-aaaa-4aaa-8aaa-5511f00d5511',
  session: 'ca4a0001-bbbb-4bbb-8bbb-5512f00d5512',
  unknownSession: 'ca4a0002-bbbb-4bbb-8bbb-5513f00d5513',
  illSession: 'ca4a0003-bbbb-4bbb-8bbb-5514f00d5514',
  movedSession: 'ca4a0004-bbbb-4bbb-8bbb-5515f00d5515',
  brokenSession: 'ca4a0005-bbbb-4bbb-8bbb-5516f00d5516',
  lateSession: 'ca4a0006-bbbb-4bbb-8bbb-5517f00d5517',
  birthYear: 'canary-year-5518',
  country: 'canary-country-5519',
  clientCountry: 'canary-client-5520',
  lookedUp: 'canary-looked-up-5521',
  moneyType: 'canary-money-type-5522',
  amount: '605142.775523',
  closingBalance: '605143.885524',
  moneyId: 'ca4a0010-cccc-4ccc-8ccc-',
} as const;

const moneyId = (n: number) => `${STATE.moneyId}${String(n).padStart(12, '0')}`;

function record(input: MoneyInput, type: string, id: string, ts: number, fields: string): ProducedRecord {
  const value = `{"type":"${type}","id":"${id}","userId":"${STATE.user}","processedAt":"${new Date(ts).toISOString()}","extra":"${UNUSED.extra}",${fields}}`;
  return { input, key: `"${STATE.user}"`, value, timestamp: Date.now() };
}

export function money(n: number, ts: number, session?: string, isOld = false): ProducedRecord {
  return record(
    'money',
    'PaymentEvent',
    moneyId(n),
    ts,
    `${session === undefined ? '' : `"userSessionId":"${session}",`}"amount":${STATE.amount},"openingBalance":${UNUSED.openingBalance},` +
      `"closingBalance":${STATE.closingBalance},"currency":"EUR","moneyType":"${STATE.moneyType}","paymentRelatedThing":"${UNUSED.related}","isOldMoneyEvent":${isOld}`,
  );
}

export function session(sessionId: string, ts: number): ProducedRecord {
  return record('session', 'UserSessionCreatedEvent', sessionId, ts, `"clientCountryCode":"${STATE.clientCountry}"`);
}

/** User info, a duplicate, money that is joined, that waits, and that is looked up: with an answer, without, and in vain. */
export function usedRecords(ts: number): ProducedRecord[] {
  return [
    record(
      'user',
      'ChangeAddressEvent',
      moneyId(801),
      ts,
      `"address":"${UNUSED.address}","residentCountryCode":"${STATE.country}","postalCode":"${UNUSED.postalCode}"`,
    ),
    record(
      'user',
      'ChangeBirthDateEvent',
      moneyId(802),
      ts,
      `"birthYear":"${STATE.birthYear}","birthCityPlace":"${UNUSED.birthPlace}"`,
    ),
    record('user', 'OtherUserEvent', moneyId(803), ts, `"somethingUtil":"${UNUSED.util}"`),
    record('session', 'UserSessionClosedEvent', STATE.session, ts, `"reason":"${UNUSED.reason}"`),
    record('money', 'KindOfWalletEvent', moneyId(804), ts, `"somethingInteresting":"${UNUSED.interesting}"`),
    session(STATE.session, ts),
    money(1, ts + 1, STATE.session),
    money(1, ts + 1, STATE.session),
    money(2, ts + 2),
    money(3, ts + 3, STATE.lateSession), // pending until its session comes
    money(4, ts + 4, STATE.unknownSession, true),
    money(5, ts + 5, STATE.illSession, true),
    money(6, ts + 6, STATE.movedSession, true),
    money(7, ts + 7, STATE.brokenSession, true),
  ];
}

/** One record for each reason of a dead letter, and one for each kind of `invalid` that could quote its value. */
export function unusableRecords(ts: number): ProducedRecord[] {
  const { invalid, malformed, key } = UNUSED;
  const of = (value: string, itsKey: string | null = `"${STATE.user}"`): ProducedRecord => ({
    input: 'money',
    key: itsKey,
    value,
    timestamp: Date.now(),
  });
  const good = String(money(900, ts).value);
  const replaced = (name: string, text: string): ProducedRecord =>
    of(good.replace(new RegExp(`"${name}":("[^"]*"|[^,}]+)`), `"${name}":${text}`));
  return [
    of(`{"type":"PaymentEvent","${malformed}`),
    of(`["${malformed}"]`),
    { ...of(''), value: Buffer.from([0xff, 0xfe, ...Buffer.from(malformed)]) },
    of(good, key),
    of(good, null),
    replaced('id', `"${invalid}"`),
    replaced('userId', `"${invalid}"`),
    replaced('processedAt', `"${invalid}"`),
    replaced('amount', `"${invalid}"`),
    replaced('openingBalance', `{"${invalid}":1}`),
    replaced('moneyType', `["${invalid}"]`),
    replaced('isOldMoneyEvent', `"${invalid}"`),
    replaced('processedAt', `"${new Date(ts + 86_400_000).toISOString()}"`),
    of(`{"type":null,"${invalid}":1}`),
    of(JSON.stringify({ type: 'PaymentEvent', x: malformed.repeat(100) })),
  ];
}
