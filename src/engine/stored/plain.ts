/**
 * Between plain JSON values and what avsc takes: absent properties are null there, a record in a union stands under its
 * full name, and `type` of a discriminated record is its place in the union. Made from the schema, once for each.
 */
import { escapeText, unescapeText } from './surrogates.ts';
import { isUnion, type FieldSchema, type RecordSchema, type Schema } from './schema.ts';

export interface Plain {
  /** What avsc encodes. */
  toAvro(value: unknown): unknown;
  /** What avsc decoded. */
  fromAvro(value: unknown): unknown;
}

type Json = Readonly<Record<string, unknown>>;

const AS_IT_IS: Plain = { toAvro: (value) => value, fromAvro: (value) => value };
/** What is not text where text belongs is for avsc to refuse. */
const TEXT: Plain = {
  toAvro: (value) => (typeof value === 'string' ? escapeText(value) : value),
  fromAvro: (value) => unescapeText(value as string),
};

/** By name, of every record in the list. */
export function plainTypes(records: readonly RecordSchema[]): ReadonlyMap<string, Plain> {
  const known = new Map<string, { readonly schema: RecordSchema; readonly plain: Plain }>();
  for (const schema of records) known.set(schema.name, { schema, plain: ofRecord(schema) });
  return new Map([...known].map(([name, { plain }]) => [name, plain]));

  function ofRecord({ fields, discriminator }: RecordSchema): Plain {
    const types = fields.map((field) => ({ name: field.name, plain: of(field.type), absent: isOptional(field) }));
    return {
      toAvro(value) {
        const from = value as Json;
        const to: Record<string, unknown> = {};
        for (const { name, plain, absent } of types) {
          to[name] = absent && from[name] === undefined ? null : plain.toAvro(from[name]);
        }
        return to;
      },
      fromAvro(value) {
        const from = value as Json;
        const to: Record<string, unknown> = discriminator === undefined ? {} : { type: discriminator };
        for (const { name, plain, absent } of types) {
          if (!absent || from[name] !== null) to[name] = plain.fromAvro(from[name]);
        }
        return to;
      },
    };
  }

  function of(schema: Schema): Plain {
    if (schema === 'string') return TEXT;
    if (typeof schema === 'string') return known.get(schema)?.plain ?? AS_IT_IS;
    if (isUnion(schema)) return ofUnion(schema);
    return 'values' in schema ? ofMap(of(schema.values)) : ofArray(of(schema.items));
  }

  function ofUnion(branches: readonly Schema[]): Plain {
    const all = branches.map((branch) => {
      if (typeof branch !== 'string') {
        throw new TypeError('a union of the state schemas is of primitives and named records');
      }
      const record = known.get(branch);
      return {
        name: record === undefined ? branch : `${record.schema.namespace}.${branch}`,
        discriminator: record?.schema.discriminator,
        plain: of(branch),
      };
    });
    const alone = all.filter(({ name }) => name !== 'null');
    const discriminated = alone.length > 1;
    return {
      toAvro(value) {
        if (value === null) return null;
        const branch = discriminated
          ? alone.find(({ discriminator }) => discriminator === (value as Json)['type'])
          : alone[0];
        if (branch === undefined) {
          throw new TypeError(`type: expected one of ${alone.map(({ discriminator }) => discriminator).join(', ')}`);
        }
        return { [branch.name]: branch.plain.toAvro(value) };
      },
      fromAvro(value) {
        if (value === null) return null;
        const [[name, content]] = Object.entries(value as Json) as [[string, unknown]];
        return all.find((branch) => branch.name === name)!.plain.fromAvro(content);
      },
    };
  }
}

/** Whether null means that the property is absent. */
export function isOptional({ type, nullable }: FieldSchema): boolean {
  return isUnion(type) && type.includes('null') && nullable !== true;
}

function ofArray(item: Plain): Plain {
  if (item === AS_IT_IS) return AS_IT_IS;
  return {
    toAvro: (value) => (value as unknown[]).map((each) => item.toAvro(each)),
    fromAvro: (value) => (value as unknown[]).map((each) => item.fromAvro(each)),
  };
}

function ofMap(values: Plain): Plain {
  const each = (key: (text: string) => string, convert: (value: unknown) => unknown) => (value: unknown) =>
    Object.fromEntries(Object.entries(value as Json).map(([name, content]) => [key(name), convert(content)]));
  return { toAvro: each(escapeText, values.toAvro), fromAvro: each(unescapeText, values.fromAvro) };
}
