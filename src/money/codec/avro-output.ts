/** Values of the output topic in Avro: schemas/money-enriched.avsc in the Confluent wire format. */
import { readFileSync } from 'node:fs';
import avsc from 'avsc';
import type { Enriched, Output } from '../domain/events.ts';
import type { EncodedOutput } from '../../engine/publish/group-commit.ts';
import { outputKey } from './enriched.ts';
import { formatTimestamp } from '../../engine/values/timestamp.ts';
import { PREFIX } from '../../engine/values/avro/decoder.ts';
import { headersOf } from './output-record.ts';

const LONE_SURROGATE = /\p{Surrogate}/u;

/** The text of the schema, as it is registered. */
export function outputSchema(): string {
  const text = readFileSync(new URL('../../../schemas/money-enriched.avsc', import.meta.url), 'utf8');
  return JSON.stringify(JSON.parse(text));
}

/** Namespace and name of {@link outputSchema}. */
export function outputRecordName(): string {
  const { namespace, name } = JSON.parse(outputSchema()) as { readonly namespace: string; readonly name: string };
  return `${namespace}.${name}`;
}

/** `schemaId`: of the schema of `type` in the registry. */
export function createAvroEncoder(
  schemaId: number,
  type: avsc.Type = avsc.Type.forSchema(JSON.parse(outputSchema()) as avsc.Schema),
): (output: Output, userId: string) => EncodedOutput {
  const prefix = Buffer.alloc(PREFIX);
  prefix.writeUInt32BE(schemaId, 1);
  return (output, userId) => ({
    key: outputKey(userId),
    value: Buffer.concat([prefix, type.toBuffer(avroValue(output.enriched))]),
    ...headersOf(output),
  });
}

/** The fields of the JSON value; what is left out there is null here. Half a surrogate pair, which JSON can write and UTF-8 cannot, becomes U+FFFD. */
function avroValue({ userId, money, userInfo, sessionInfo, firstOccurrence }: Enriched): object {
  return {
    money: {
      id: money.id,
      userId,
      userSessionId: money.userSessionId ?? null,
      processedAt: formatTimestamp(money.ts),
      amount: money.amount,
      currency: money.currency,
      closingBalance: money.closingBalance,
      moneyType: wellFormed(money.moneyType),
      isOldMoneyEvent: money.isOldMoneyEvent,
    },
    userInfo: hasAny(userInfo)
      ? { birthYear: textOrNull(userInfo.birthYear), residentCountryCode: textOrNull(userInfo.residentCountryCode) }
      : null,
    sessionInfo: sessionInfo === undefined ? null : { clientCountryCode: wellFormed(sessionInfo.clientCountryCode) },
    firstOccurrence,
  };
}

function textOrNull(text: string | undefined): string | null {
  return text === undefined ? null : wellFormed(text);
}

/** JSON can write half a surrogate pair, UTF-8 cannot: it becomes U+FFFD, or no reader would take the record. */
function wellFormed(text: string): string {
  return LONE_SURROGATE.test(text) ? Buffer.from(text).toString() : text;
}

function hasAny(userInfo: Enriched['userInfo']): userInfo is NonNullable<Enriched['userInfo']> {
  return userInfo?.birthYear !== undefined || userInfo?.residentCountryCode !== undefined;
}
