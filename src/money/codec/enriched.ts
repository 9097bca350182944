/** Key and value of a record of the output topic (semantics, section 1). Money keeps the number text of its input. */
import type { Enriched } from '../domain/events.ts';
import { formatTimestamp } from '../../engine/values/timestamp.ts';

/** The value: one line of JSON, fields in the order of the contract, absent parts left out. */
export function encodeEnriched(enriched: Enriched): string {
  const { money, userInfo, sessionInfo } = enriched;
  let json = `{"money":{"id":${quote(money.id)},"userId":${quote(enriched.userId)}`;
  if (money.userSessionId !== undefined) json += `,"userSessionId":${quote(money.userSessionId)}`;
  json += `,"processedAt":"${formatTimestamp(money.ts)}","amount":${money.amount},"currency":${quote(money.currency)}`;
  json += `,"closingBalance":${money.closingBalance},"moneyType":${quote(money.moneyType)}`;
  json += `,"isOldMoneyEvent":${money.isOldMoneyEvent}}`;
  const user: string[] = [];
  if (userInfo?.birthYear !== undefined) user.push(`"birthYear":${quote(userInfo.birthYear)}`);
  if (userInfo?.residentCountryCode !== undefined) {
    user.push(`"residentCountryCode":${quote(userInfo.residentCountryCode)}`);
  }
  if (user.length > 0) json += `,"userInfo":{${user.join(',')}}`;
  if (sessionInfo !== undefined) json += `,"sessionInfo":{"clientCountryCode":${quote(sessionInfo.clientCountryCode)}}`;
  return `${json},"firstOccurrence":${enriched.firstOccurrence}}`;
}

/** The record key: the user id in double quotes, as on the inputs. */
export function outputKey(userId: string): string {
  return `"${userId}"`;
}

function quote(text: string): string {
  return JSON.stringify(text);
}
