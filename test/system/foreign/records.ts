/** What write.py and Write.java wrote: values without the schema id in front of them, with the schemas that they need. */
import { readFileSync } from 'node:fs';
import type { MoneyInput } from '../../../src/money/domain/events.ts';

interface ForeignRecord {
  readonly what: string;
  readonly input: MoneyInput;
  readonly key: string;
  /** epoch ms */
  readonly timestamp: number;
  readonly schema: string;
  /** Names of schemas that it refers to. */
  readonly references: readonly string[];
  /** Hexadecimal. */
  readonly value: string;
}

export interface ForeignRecords {
  readonly client: string;
  /** Each after those that it refers to. */
  readonly references: readonly {
    readonly name: string;
    readonly subject: string;
    readonly schema: string;
    readonly references: readonly string[];
  }[];
  readonly records: readonly ForeignRecord[];
}

export const FOREIGN: readonly ForeignRecords[] = ['python', 'java'].map(
  (name) => JSON.parse(readFileSync(new URL(`${name}.json`, import.meta.url), 'utf8')) as ForeignRecords,
);

/** How their money is read: PaymentMade is of a release that had other names, and a field less. */
export const READER_SCHEMA = {
  type: 'record',
  name: 'PaymentEvent',
  namespace: 'money.enrichment',
  aliases: ['PaymentMade'],
  fields: [
    { name: 'moneyType', type: 'string', aliases: ['kind'] },
    { name: 'isOldMoneyEvent', type: 'boolean', default: false },
  ],
};
