/**
 * The schemas that a schema refers to, each before those that need it. As Confluent's clients have it, a name stands for
 * one schema: the first that is found under it. What is asked is bounded in number and depth, and a circle is refused.
 */

/** A schema as a registry has it. */
export interface RegisteredSchema {
  readonly text: string;
  readonly references: readonly Reference[];
}

export interface Reference {
  readonly name: string;
  readonly subject: string;
  readonly version: number;
}

export type Unusable = { readonly unusable: string; readonly unknown?: true };

/** Schemas that one may refer to, directly or by others. */
const MAX_REFERENCES = 100;
const MAX_DEPTH = 32;
/** UTF-16 units of all their texts */
const MAX_LENGTH = 256 * 1024;

/** Of an answer's `references`; undefined for what a registry does not say. */
export function referencesIn(value: unknown): readonly Reference[] | undefined {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) && value.every(isReference) ? value : undefined;
}

function isReference(value: unknown): value is Reference {
  const { name, subject, version } = (value ?? {}) as Partial<Record<keyof Reference, unknown>>;
  return typeof name === 'string' && typeof subject === 'string' && Number.isSafeInteger(version);
}

/** Their texts. Errors: those of `ask`. */
export async function resolveReferences(
  references: readonly Reference[],
  ask: (reference: Reference) => Promise<RegisteredSchema | Unusable>,
): Promise<{ readonly texts: readonly string[] } | Unusable> {
  const texts: string[] = [];
  const found = new Set<string>();
  let length = 0;
  let asked = 0;

  async function resolve(wanted: readonly Reference[], within: readonly string[]): Promise<Unusable | undefined> {
    if (within.length > MAX_DEPTH) return { unusable: `its references are nested deeper than ${MAX_DEPTH}` };
    for (const reference of wanted) {
      if (found.has(reference.name)) continue;
      if (within.includes(reference.name)) return { unusable: 'its references lead back to themselves' };
      asked += 1;
      if (asked > MAX_REFERENCES) return { unusable: `it refers to more than ${MAX_REFERENCES} schemas` };
      const schema = await ask(reference);
      if ('unusable' in schema) return schema;
      length += schema.text.length;
      if (length > MAX_LENGTH) {
        return { unusable: `the schemas that it refers to have more than ${MAX_LENGTH} characters` };
      }
      const failed = await resolve(schema.references, [...within, reference.name]);
      if (failed !== undefined) return failed;
      found.add(reference.name);
      texts.push(schema.text);
    }
    return undefined;
  }

  return (await resolve(references, [])) ?? { texts };
}
