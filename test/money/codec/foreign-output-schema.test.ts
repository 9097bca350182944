import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import avsc from 'avsc';
import { createAvroEncoder, outputSchema } from '../../../src/money/codec/avro-output.ts';
import { outputTypeOf } from '../../../src/money/codec/foreign-output-schema.ts';
import type { Output } from '../../../src/money/domain/events.ts';

interface Field {
  name: string;
  type: unknown;
  default?: unknown;
}
interface Schema {
  name: string;
  fields: Field[];
}

/** Our schema, changed; `fields` and `money` are those of the output and of its money. */
function changed(change: (parts: { schema: Schema; money: Schema; fields: Field[] }) => void): string {
  const schema = JSON.parse(outputSchema()) as Schema;
  change({ schema, fields: schema.fields, money: schema.fields[0]!.type as Schema });
  return JSON.stringify(schema);
}

function unfit(text: string, references?: readonly string[]): string | undefined {
  const found = outputTypeOf(text, references);
  return 'unfit' in found ? found.unfit : undefined;
}

const USER = '0a7f5c36-6d0c-4f6e-9a52-0f8f1d3b2c11';
const OUTPUT = {
  enriched: {
    userId: USER,
    money: {
      id: USER,
      ts: 1_769_853_600_000,
      amount: '10.50',
      currency: 'EUR',
      closingBalance: '1E+2',
      moneyType: 'BET',
      isOldMoneyEvent: false,
    },
    firstOccurrence: true,
  },
} as unknown as Output;

describe('another schema of the output', () => {
  test('may have more fields with defaults, another order, another name, and allow more', () => {
    const text = changed(({ schema, money, fields }) => {
      schema.name = 'Theirs';
      fields.reverse();
      fields.push({ name: 'region', type: 'string', default: 'EU' });
      money.fields.find(({ name }) => name === 'amount')!.type = ['null', { type: 'string', logicalType: 'money' }];
    });
    const found = outputTypeOf(text);
    assert.ok('type' in found, JSON.stringify(found));
    const value = createAvroEncoder(9, found.type)(OUTPUT, USER).value as Buffer;
    assert.equal(value.readUInt32BE(1), 9);
    const read = avsc.Type.forSchema(JSON.parse(text) as avsc.Schema).fromBuffer(value.subarray(5)) as {
      region: string;
      firstOccurrence: boolean;
      money: { amount: string; closingBalance: string };
    };
    assert.deepEqual(
      [read.region, read.firstOccurrence, read.money.amount, read.money.closingBalance],
      ['EU', true, '10.50', '1E+2'],
    );
  });

  test('must have every field, of a type that holds every value; the field is named', () => {
    const find = (fields: Field[], name: string) => fields.find((field) => field.name === name)!;
    const cases: [string, Parameters<typeof changed>[0]][] = [
      ['firstOccurrence: it has no such field', ({ fields }) => void fields.pop()],
      ['money.isOldMoneyEvent: it has no such field', ({ money }) => void money.fields.pop()],
      [
        'money.amount: expected string, it has bytes',
        ({ money }) =>
          void (find(money.fields, 'amount').type = { type: 'bytes', logicalType: 'decimal', precision: 9 }),
      ],
      [
        'money.currency: expected string, it has enum',
        ({ money }) => void (find(money.fields, 'currency').type = { type: 'enum', name: 'C', symbols: ['EUR'] }),
      ],
      [
        'sessionInfo: expected null, it has record',
        ({ fields }) => {
          const session = find(fields, 'sessionInfo');
          session.type = (session.type as unknown[])[1];
          delete session.default;
        },
      ],
      [
        'region: nothing writes it, and it has no default',
        ({ fields }) => void fields.push({ name: 'region', type: 'int' }),
      ],
      [
        'money.amount: its union has branches that cannot be told apart',
        ({ money }) =>
          void (find(money.fields, 'amount').type = ['string', { type: 'enum', name: 'C', symbols: ['EUR'] }]),
      ],
    ];
    for (const [expected, change] of cases) assert.equal(unfit(changed(change)), expected);
    assert.equal(unfit(outputSchema()), undefined);
  });

  test('may refer to others, and is refused when it is no schema', () => {
    const money = JSON.stringify({
      ...((JSON.parse(outputSchema()) as Schema).fields[0]!.type as object),
      namespace: 'money.enrichment',
    });
    assert.equal(
      unfit(
        changed(({ fields }) => void (fields[0]!.type = 'Money')),
        [money],
      ),
      undefined,
    );
    assert.equal(unfit('{'), 'it is not JSON');
    assert.equal(unfit('"string"'), 'expected a record, or a union of records');
    assert.match(
      unfit(changed(({ fields }) => void fields.push({ name: 'a-b', type: 'int', default: 1 })))!,
      /^it is not valid Avro: /,
    );
  });
});
