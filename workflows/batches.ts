/**
 * What a signal's argument must look like to be a batch of this user. Whoever may signal may send anything, and what the fold
 * cannot take would fail the workflow's task for ever. Cheap: it runs for each record.
 */
import { isForwarded } from '../src/money/domain/forwarded.ts';
import type { Applicable } from '../src/money/domain/types.ts';

type Json = Readonly<Record<string, unknown>>;

/** Event times of the years 0 to 9999, epoch ms. */
const [FIRST_TIME, LAST_TIME] = [-62_167_219_200_000, 253_402_300_799_999];
/** A watermark may be some time before or after what it was made of. */
const SLACK = 400 * 86_400_000;
const MAX_PARTITION = 2 ** 31 - 1;
/** Characters; a UUID has 36. */
const MAX_ID = 100;
const NUMBER = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** Undefined for a batch of this user; otherwise why it is none, in words without values. */
export function whyNotABatch(
  value: unknown,
  whose: { mayBe(userId: string | undefined): boolean },
): string | undefined {
  if (!isObject(value)) return 'no batch of records';
  const { partition, logs, lowWater, rules, records, userId } = value;
  if (userId !== undefined && (!isId(userId) || !whose.mayBe(userId as string))) return 'the records of another user';
  if (!isWhole(partition, MAX_PARTITION)) return 'no partition';
  if (logs !== undefined && !areLogs(logs)) return 'no logs';
  if (!Array.isArray(lowWater) || lowWater.length !== 3 || !lowWater.every((offset) => isWhole(offset))) {
    return 'no low water';
  }
  if (!areRules(rules)) return 'no rules';
  if (!Array.isArray(records)) return 'no records';
  return records.every(isRecord) ? undefined : 'a record that is none';
}

function areLogs(value: unknown): boolean {
  return (
    isObject(value) &&
    [value['user'], value['session'], value['money']].every((name) => typeof name === 'string' && name.length <= MAX_ID)
  );
}

function areRules(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { sessionTtl, dedupTtl, pendingTimeout, lookupGiveUpAfter, bounds } = value;
  return (
    [sessionTtl, dedupTtl, pendingTimeout, lookupGiveUpAfter].every((ms) => isWhole(ms)) &&
    (bounds === undefined || areBounds(bounds))
  );
}

function areBounds(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { dedupEntries, sessions, pending, changes, moneyTypes, bytes } = value;
  return [dedupEntries, sessions, pending, changes, moneyTypes, bytes].every((bound) => isWhole(bound));
}

function isRecord(value: unknown): value is Applicable {
  if (!isObject(value)) return false;
  const { offset, ts, late, event } = value;
  return isWhole(offset) && isTime(ts) && (late === undefined || isTime(late, SLACK)) && isEvent(event);
}

function isEvent(value: unknown): boolean {
  if (!isObject(value)) return false;
  switch (value['type']) {
    case 'money':
      return isMoney(value['money']);
    case 'session':
      return isId(value['sessionId']) && typeof value['clientCountryCode'] === 'string';
    case 'birthDate':
      return typeof value['birthYear'] === 'string';
    case 'address':
      return typeof value['residentCountryCode'] === 'string';
    default:
      return false;
  }
}

function isMoney(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { id, userSessionId, ts, amount, currency, closingBalance, moneyType, isOldMoneyEvent, forwarded } = value;
  return (
    isId(id) &&
    (userSessionId === undefined || isId(userSessionId)) &&
    isTime(ts) &&
    isNumber(amount) &&
    isNumber(closingBalance) &&
    typeof currency === 'string' &&
    currency.length === 3 &&
    typeof moneyType === 'string' &&
    typeof isOldMoneyEvent === 'boolean' &&
    (forwarded === undefined || isForwarded(forwarded))
  );
}

/** A name of what every object has would be found where it was never put. */
function isId(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && value.length <= MAX_ID && !(value in Object.prototype);
}

function isNumber(value: unknown): boolean {
  return typeof value === 'string' && NUMBER.test(value);
}

function isWhole(value: unknown, most = Number.MAX_SAFE_INTEGER): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= most;
}

function isTime(value: unknown, slack = 0): boolean {
  return (
    Number.isSafeInteger(value) && (value as number) >= FIRST_TIME - slack && (value as number) <= LAST_TIME + slack
  );
}

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
