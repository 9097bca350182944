/**
 * Traffic in Avro: the schemas of `schemas`, one union of records a topic, in the Confluent wire format. What its schema
 * cannot hold stays as it is, which no reader of Avro can use.
 */
import { readFileSync } from 'node:fs';
import avsc from 'avsc';
import { PREFIX } from '../../engine/values/avro/decoder.ts';
import { numberTexts } from '../../engine/values/number-text.ts';
import { INPUTS, type MoneyInput } from '../../money/domain/events.ts';

const FILES: Readonly<Record<MoneyInput, string>> = {
  money: 'wallet-events',
  user: 'user-events',
  session: 'user-session-events',
};
const DECIMALS = ['amount', 'openingBalance', 'closingBalance'];
/** What is no event in JSON either. */
const GARBAGE = Buffer.from('no event');

interface AvroValue {
  readonly value: Buffer | null;
  /** The JSON that says the same to a reader of JSON. */
  readonly meaning: Buffer | null;
}

export interface AvroTraffic {
  encode(input: MoneyInput, json: Buffer | null): AvroValue;
}

export interface AvroTrafficOptions {
  /** Gives a schema of a topic's values its id. */
  readonly idOf: (subject: string, schema: string) => Promise<number>;
  readonly topics: Readonly<Record<MoneyInput, string>>;
  /** Bytes of a value: a larger one is too large in any format, and stays as it is. */
  readonly maxRecordBytes: number;
}

/** Errors: those of `idOf`. */
export async function createAvroTraffic({ idOf, topics, maxRecordBytes }: AvroTrafficOptions): Promise<AvroTraffic> {
  const encoders = new Map<MoneyInput, Encode>();
  for (const input of INPUTS) {
    const file = new URL(`../../../schemas/${FILES[input]}.avsc`, import.meta.url);
    const schema = JSON.parse(readFileSync(file, 'utf8')) as avsc.Schema;
    const id = await idOf(`${topics[input]}-value`, JSON.stringify(schema));
    encoders.set(input, encoder(schema, id));
  }
  return {
    encode(input, json) {
      if (json === null || json.length === 0 || json.length > maxRecordBytes) return { value: json, meaning: json };
      return encoders.get(input)!(json) ?? { value: json, meaning: GARBAGE };
    },
  };
}

/** Undefined for what the schema cannot hold. */
type Encode = (json: Buffer) => AvroValue | undefined;

function encoder(schema: avsc.Schema, id: number): Encode {
  const union = avsc.Type.forSchema(schema) as avsc.types.WrappedUnionType;
  const prefix = Buffer.alloc(PREFIX);
  prefix.writeUInt32BE(id, 1);
  return (json) => {
    const event = objectIn(json);
    const record = union.types.find((type) => nameOf(type) === event?.fields['type']) as
      avsc.types.RecordType | undefined;
    if (event === undefined || record === undefined) return undefined;
    const texts = numberTexts(event.text, DECIMALS);
    const value: Record<string, unknown> = {};
    for (const { name } of record.fields) {
      const decimal = DECIMALS.indexOf(name);
      value[name] = decimal < 0 ? wellFormed(event.fields[name]) : texts[decimal];
    }
    if (!record.isValid(value)) return undefined;
    const written = union.toBuffer({ [record.name!]: value });
    return { value: Buffer.concat([prefix, written]), meaning: jsonOf(nameOf(record), value) };
  };
}

function nameOf(type: avsc.Type): string {
  return type.name!.slice(type.name!.lastIndexOf('.') + 1);
}

function objectIn(json: Buffer): { readonly text: string; readonly fields: Record<string, unknown> } | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(json);
    const fields: unknown = JSON.parse(text);
    const isObject = typeof fields === 'object' && fields !== null && !Array.isArray(fields);
    return isObject ? { text, fields: fields as Record<string, unknown> } : undefined;
  } catch {
    // Made to be unusable.
    return undefined;
  }
}

/** Half a surrogate pair, which UTF-8 cannot write, becomes U+FFFD; what is not there is null. */
function wellFormed(value: unknown): unknown {
  return typeof value === 'string' ? Buffer.from(value).toString() : (value ?? null);
}

function jsonOf(type: string, value: Readonly<Record<string, unknown>>): Buffer {
  const fields = Object.entries(value).flatMap(([name, field]) => {
    if (field === null) return [];
    return [`"${name}":${DECIMALS.includes(name) ? String(field) : JSON.stringify(field)}`];
  });
  return Buffer.from(`{"type":${JSON.stringify(type)},${fields.join(',')}}`);
}
