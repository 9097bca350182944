/** The seam between the formats of record values and what is asked of their fields. */
import { isUtf8 } from 'node:buffer';
import type { ReaderSchema } from './avro/reader-schema.ts';
import { withoutNested } from './nested-json.ts';
import { numberTexts } from './number-text.ts';

/** A decoded value whose fields are not validated yet. */
export interface DecodedValue {
  /** The value of a field; null or undefined when it is absent. */
  field(name: string): unknown;
  /** The exact decimal text of each named field; null for one that is not a finite decimal number. */
  decimalTexts(names: readonly string[]): readonly (string | null)[];
}

export interface ValueDecoder {
  /**
   * `value` is not empty; `reader`: with what names and defaults its fields are read, of a format that has schemas. Never
   * throws; `malformed` says what is wrong without quoting the value.
   */
  decode(value: Buffer, reader?: ReaderSchema): DecodedValue | { readonly malformed: string };
}

/** Decoders for batches of values: for formats that have to ask somebody what their values mean. */
export interface DecoderSource {
  /**
   * A decoder that knows all that these values need; a promise only when something has to be asked first. Rejects with
   * CodedError UNREACHABLE when nobody answers, which is no fault of the values.
   */
  decoderFor(values: readonly Buffer[]): ValueDecoder | Promise<ValueDecoder>;
}

/** bytes, below which nothing nested can take long */
const LARGE = 16_384;

/** JSON objects in strict UTF-8, without a byte order mark. */
export const jsonDecoder: ValueDecoder = {
  decode(value) {
    if (!isUtf8(value)) return { malformed: 'value: expected UTF-8' };
    const whole = value.toString('utf8');
    const text = value.length > LARGE ? withoutNested(whole) : whole;
    let parsed: unknown;
    try {
      if (text === undefined) return { malformed: 'value: expected JSON' };
      parsed = JSON.parse(text);
    } catch {
      // The message of the SyntaxError quotes the value.
      return { malformed: 'value: expected JSON' };
    }
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
      return { malformed: 'value: expected a JSON object' };
    }
    return new JsonRecord(text, parsed as Readonly<Record<string, unknown>>);
  },
};

export const jsonDecoders: DecoderSource = { decoderFor: () => jsonDecoder };

class JsonRecord implements DecodedValue {
  readonly #text: string;
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(text: string, fields: Readonly<Record<string, unknown>>) {
    this.#text = text;
    this.#fields = fields;
  }

  field(name: string): unknown {
    return Object.hasOwn(this.#fields, name) ? this.#fields[name] : undefined;
  }

  decimalTexts(names: readonly string[]): readonly (string | null)[] {
    return numberTexts(this.#text, names);
  }
}
