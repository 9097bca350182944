/**
 * Encoding of one record, in the place of kafkajs' module, which throws at a header without a value (null in Kafka's
 * format): a record of the inputs may have one, and its dead letter keeps it.
 */
import { valuesOf } from '../port.ts';
import type { RecordHeaders } from '../port.ts';

interface Encoder {
  size(): number;
  writeInt8(value: number): Encoder;
  writeVarInt(value: number): Encoder;
  writeVarLong(value: unknown): Encoder;
  writeVarIntString(value: string): Encoder;
  writeVarIntBytes(value: unknown): Encoder;
  writeEncoder(other: Encoder): Encoder;
}

interface Fields {
  readonly offsetDelta?: number;
  readonly timestampDelta?: number;
  readonly key: unknown;
  readonly value: unknown;
  readonly headers?: RecordHeaders;
}
type EncodeRecord = (fields: Fields) => Encoder;

export function recordEncoder(original: EncodeRecord, Encoder: new () => Encoder): EncodeRecord {
  return (fields) => {
    const { offsetDelta = 0, timestampDelta = 0, key, value, headers = {} } = fields;
    const list = Object.entries(headers).flatMap(([name, values]) =>
      valuesOf(values).map((one) => [name, one] as const),
    );
    if (list.every(([, one]) => one !== null && one !== undefined)) return original(fields);
    const body = new Encoder()
      .writeInt8(0)
      .writeVarLong(timestampDelta)
      .writeVarInt(offsetDelta)
      .writeVarIntBytes(key)
      .writeVarIntBytes(value)
      .writeVarInt(list.length);
    for (const [name, one] of list) body.writeVarIntString(name).writeVarIntBytes(one);
    return new Encoder().writeVarInt(body.size()).writeEncoder(body);
  };
}
