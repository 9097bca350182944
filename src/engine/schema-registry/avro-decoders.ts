/**
 * Decoders for batches of Avro values. A schema never changes under its id, so what was asked once is kept; that an id is
 * not known may change, and is asked again after a while. A batch gets a decoder of its own with all it needs, so that
 * forgetting the oldest takes nothing away from a batch that is being decoded.
 */
import { avroDecoder, schemaIdOf, type KnownSchema } from '../values/avro/decoder.ts';
import { parseWriterSchema } from '../values/avro/schema.ts';
import type { Clock } from '../clock.ts';
import type { DecoderSource } from '../values/value.ts';
import type { SchemaRegistry } from './client.ts';

/** Schemas kept, and as many ids that cannot be used; the one that was asked first goes first. */
const MAX_KEPT = 1_000;
/** ms for which an id that cannot be used is not asked again, and one that is not known */
const UNUSABLE_FOR = 30_000;
const UNKNOWN_FOR = 5_000;
/** ms between the questions for ids that are not known: a follower of the registry may lag behind who registered them. */
const PAUSES = [500, 1_000, 1_500];
/** Waits in vain that may follow each other, and ms for one more: made-up ids must not hold up their partition for ever. */
const WAITS_IN_VAIN = 5;
const ONE_MORE_EACH = 30_000;
/** Questions under way at a time. */
const MAX_ASKING = 8;

interface Kept {
  readonly schema: KnownSchema;
  readonly unknown: boolean;
  /** ms; Infinity for what never changes */
  readonly until: number;
}

export function createAvroDecoders(
  registry: Pick<SchemaRegistry, 'schema'>,
  clock: Pick<Clock, 'elapsed' | 'sleep'>,
): DecoderSource {
  const now = (): number => clock.elapsed();
  let waitsInVain = 0;
  let inVainAt = -Infinity;
  const usable = new Map<number, Kept>();
  /** Apart, so that made-up ids drive no schema out. */
  const unusable = new Map<number, Kept>();
  const asking = new Map<number, Promise<Kept>>();

  function known(id: number): KnownSchema | undefined {
    const found = usable.get(id) ?? unusable.get(id);
    return found !== undefined && found.until > now() ? found.schema : undefined;
  }

  function ask(id: number): Promise<Kept> {
    const before = asking.get(id);
    if (before !== undefined) return before;
    const answer = registry
      .schema(id)
      .then((found): Kept => {
        const unknown = 'unusable' in found && found.unknown === true;
        const schema = 'text' in found ? parseWriterSchema(found.text, found.references) : found;
        const kept = 'unusable' in schema ? unusable : usable;
        unusable.delete(id);
        const answer = {
          schema,
          unknown,
          until: 'text' in found ? Infinity : now() + (unknown ? UNKNOWN_FOR : UNUSABLE_FOR),
        };
        kept.set(id, answer);
        for (const oldest of kept.keys()) {
          if (kept.size <= MAX_KEPT) break;
          kept.delete(oldest);
        }
        return answer;
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
      return askFor([...missing], schemas).then(() => avroDecoder(schemas));
    },
  };

  /** All of a batch together: however many are not known, they are waited for once. */
  async function askFor(ids: readonly number[], schemas: Map<number, KnownSchema>): Promise<void> {
    let unknown = await askAll(ids, schemas);
    const from = now();
    if (unknown.length === 0 || waitsLately() >= WAITS_IN_VAIN) return;
    for (const pause of PAUSES) {
      await clock.sleep(pause);
      unknown = await askAll(unknown, schemas);
      if (unknown.length === 0) return;
    }
    // Batches of other partitions that waited meanwhile did so beside this one.
    if (from < inVainAt) return;
    waitsInVain = waitsLately() + 1;
    inVainAt = now();
  }

  function waitsLately(): number {
    return Math.max(0, waitsInVain - Math.floor((now() - inVainAt) / ONE_MORE_EACH));
  }

  /** Returns the ids that are not known. */
  async function askAll(ids: readonly number[], schemas: Map<number, KnownSchema>): Promise<number[]> {
    const left = [...ids];
    const unknown: number[] = [];
    const askNext = async (): Promise<void> => {
      for (let id = left.pop(); id !== undefined; id = left.pop()) {
        const answer = await ask(id);
        schemas.set(id, answer.schema);
        if (answer.unknown) unknown.push(id);
      }
    };
    await Promise.all(Array.from({ length: MAX_ASKING }, askNext));
    return unknown;
  }
}
