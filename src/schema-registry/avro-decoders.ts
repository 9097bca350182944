/**
 * Decoders for batches of Avro values. A schema never changes under its id, so what was asked once is kept; that an id is
 * not known may change, and is asked again after a while. A batch gets a decoder of its own with all it needs, so that
 * forgetting the oldest takes nothing away from a batch that is being decoded.
 */
import { avroDecoder, schemaIdOf, type KnownSchema } from '../codec/avro/decoder.ts';
import { parseWriterSchema } from '../codec/avro/schema.ts';
import type { DecoderSource } from '../codec/value.ts';
import type { SchemaRegistry } from './client.ts';

/** Schemas kept, and as many ids that cannot be used; the one that was asked first goes first. */
const MAX_KEPT = 1_000;
/** ms for which an id that cannot be used is not asked again */
const UNUSABLE_FOR = 30_000;
/** Questions under way at a time. */
const MAX_ASKING = 8;

interface Kept {
  readonly schema: KnownSchema;
  /** ms; Infinity for what never changes */
  readonly until: number;
}

export function createAvroDecoders(registry: Pick<SchemaRegistry, 'schema'>, now: () => number): DecoderSource {
  const usable = new Map<number, Kept>();
  /** Apart, so that made-up ids drive no schema out. */
  const unusable = new Map<number, Kept>();
  const asking = new Map<number, Promise<KnownSchema>>();

  function known(id: number): KnownSchema | undefined {
    const found = usable.get(id) ?? unusable.get(id);
    return found !== undefined && found.until > now() ? found.schema : undefined;
  }

  function ask(id: number): Promise<KnownSchema> {
    const before = asking.get(id);
    if (before !== undefined) return before;
    const answer = registry
      .schema(id)
      .then((found): KnownSchema => {
        const schema = 'text' in found ? parseWriterSchema(found.text) : found;
        const kept = 'unusable' in schema ? unusable : usable;
        unusable.delete(id);
        kept.set(id, { schema, until: 'text' in found ? Infinity : now() + UNUSABLE_FOR });
        for (const oldest of kept.keys()) {
          if (kept.size <= MAX_KEPT) break;
          kept.delete(oldest);
        }
        return schema;
      })
      .finally(() => asking.delete(id));
    asking.set(id, answer);
    return answer;
  }

  return {
    decoderFor(values) {
      const schemas = new Map<number, KnownSchema>();
      const missing = new Set<number>();
      for (const value of values) {
        const id = schemaIdOf(value);
        if (id === null || schemas.has(id) || missing.has(id)) continue;
        const schema = known(id);
        if (schema === undefined) missing.add(id);
        else schemas.set(id, schema);
      }
      if (missing.size === 0) return avroDecoder(schemas);
      const ids = [...missing];
      const askNext = async (): Promise<void> => {
        for (let id = ids.pop(); id !== undefined; id = ids.pop()) schemas.set(id, await ask(id));
      };
      return Promise.all(Array.from({ length: MAX_ASKING }, askNext)).then(() => avroDecoder(schemas));
    },
  };
}
