/** The values of the demo, in the format that is configured; what they say is told and judged in JSON. */
import { readFileSync } from 'node:fs';
import avsc from 'avsc';
import { createSchemaRegistry } from '../../engine/schema-registry/client.ts';
import { PREFIX } from '../../engine/values/avro/decoder.ts';
import type { Config } from '../../money/config.ts';
import type { MoneyInput } from '../../money/domain/events.ts';
import { avroTrafficOf } from '../generate/avro-of-config.ts';

type Value = Buffer | null;

export interface DemoValues {
  /** JSON -> what goes to Kafka. */
  write(input: MoneyInput, json: Value | string): Value | string;
  /** What {@link DemoValues.write} gave, in JSON. */
  jsonOfInput(value: Value): Value;
  jsonOfOutput(value: Value): Value;
}

const JSON_VALUES: DemoValues = {
  write: (_, json) => json,
  jsonOfInput: (value) => value,
  jsonOfOutput: (value) => value,
};

/** `registry`: addresses, with values in Avro. Errors: those of {@link avroTrafficOf}. */
export async function valuesOf(config: Config, registry: string | undefined): Promise<DemoValues> {
  if (registry === undefined) return JSON_VALUES;
  const traffic = await avroTrafficOf(config, createSchemaRegistry(registry.split(',')));
  const meanings = new Map<string, Value>();
  const schema = readFileSync(new URL('../../../schemas/money-enriched.avsc', import.meta.url), 'utf8');
  const output = avsc.Type.forSchema(JSON.parse(schema) as avsc.Schema);
  return {
    write(input, json) {
      const { value, meaning } = traffic.encode(input, typeof json === 'string' ? Buffer.from(json) : json);
      if (value !== null) meanings.set(value.toString('latin1'), meaning);
      return value;
    },
    jsonOfInput: (value) => (value === null ? null : (meanings.get(value.toString('latin1')) ?? value)),
    jsonOfOutput: (value) =>
      value === null ? null : Buffer.from(outputText(output.fromBuffer(value.subarray(PREFIX)) as Enriched)),
  };
}

interface Enriched {
  readonly money: Readonly<Record<string, string | boolean | null>>;
  readonly userInfo: Readonly<Record<string, string | null>> | null;
  readonly sessionInfo: Readonly<Record<string, string>> | null;
  readonly firstOccurrence: boolean;
}

/** As an output in JSON is written: without what is null, amounts as their text. */
function outputText({ money, userInfo, sessionInfo, firstOccurrence }: Enriched): string {
  const parts = [
    `"money":${objectText(money)}`,
    ...(userInfo === null ? [] : [`"userInfo":${objectText(userInfo)}`]),
    ...(sessionInfo === null ? [] : [`"sessionInfo":${objectText(sessionInfo)}`]),
    `"firstOccurrence":${firstOccurrence}`,
  ];
  return `{${parts.join(',')}}`;
}

const NUMBERS = new Set(['amount', 'closingBalance']);

function objectText(fields: Readonly<Record<string, string | boolean | null>>): string {
  const texts = Object.entries(fields).flatMap(([name, value]) => {
    if (value === null) return [];
    return [`"${name}":${NUMBERS.has(name) ? String(value) : JSON.stringify(value)}`];
  });
  return `{${texts.join(',')}}`;
}
