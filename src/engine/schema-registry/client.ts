/**
 * The schema registry over HTTP. What it does not say in a registry's own words is an outage, to be tried again: a wrong
 * address and an ingress answer 404 to everything, and no record is judged by that.
 */
import { CodedError } from '../errors.ts';
import { askRegistry, type RegistryAnswer, type AskOptions, type RegistryQuestion, type Understood } from './ask.ts';
import { referencesIn, resolveReferences, type Reference, type RegisteredSchema, type Unusable } from './references.ts';

/** A schema with the texts of those that it refers to, each before those that need it. */
interface FoundSchema {
  readonly text: string;
  readonly references?: readonly string[];
}

export interface SchemaRegistry {
  /** For messages: without name and password. */
  readonly address: string;
  /**
   * The schema of an id; `unusable` when it has none that can be used, which is final, or `unknown`: not yet, as of a follower
   * that lags, or never. Throws CodedError UNREACHABLE when the registry does not say: an outage, to be tried again.
   */
  schema(id: number): Promise<FoundSchema | Unusable>;
  /** The id of a schema under a subject, new or not. Errors: UNREACHABLE (again), CONFIG (it is refused). */
  register(subject: string, schema: string): Promise<number>;
  /** The id of a schema that is under a subject already. Errors: UNREACHABLE (again), CONFIG (it is not). */
  find(subject: string, schema: string): Promise<number>;
  /** The latest schema of a subject. Errors: UNREACHABLE (again), CONFIG (there is none, or none that can be used). */
  latest(subject: string): Promise<FoundSchema & { readonly id: number; readonly version: number }>;
  /** How many subjects it shows. Errors: UNREACHABLE. */
  subjects(): Promise<number>;
}

/** Codes of a registry that does not know a subject, a version, a schema. */
const NO_SUBJECT = 40401;
const NO_VERSION = 40402;
const NO_SCHEMA = 40403;

/** `urls`: http or https, perhaps with name and password. */
export function createSchemaRegistry(urls: readonly string[], options: AskOptions = {}): SchemaRegistry {
  const { address, ask } = askRegistry(urls, options);

  function refused(what: string): CodedError {
    return new CodedError('CONFIG', `the schema registry at ${address} (SCHEMA_REGISTRY_URL) ${what}`);
  }

  async function versionOf({ subject, version }: Reference): Promise<RegisteredSchema | Unusable> {
    const path = `/subjects/${encodeURIComponent(subject)}/versions/${version}?deleted=true`;
    return ask({ method: 'GET', path }, (answer) => {
      const missing = notFound(answer, [NO_SUBJECT, NO_VERSION]);
      if (missing) {
        return { word: { unusable: 'it refers to a schema that the registry does not know', unknown: true } };
      }
      return schemaIn(answer, `GET ${path}`);
    });
  }

  async function withReferences(schema: RegisteredSchema): Promise<FoundSchema | Unusable> {
    if (schema.references.length === 0) return { text: schema.text };
    const resolved = await resolveReferences(schema.references, versionOf);
    return 'unusable' in resolved ? resolved : { text: schema.text, references: resolved.texts };
  }

  return {
    address,

    async subjects() {
      return ask({ method: 'GET', path: '/subjects' }, ({ status, body }) =>
        status === 200 && Array.isArray(body) ? { word: body.length } : { not: describe(status, 'GET /subjects') },
      );
    },

    async schema(id) {
      const path = `/schemas/ids/${id}`;
      const schema = await ask({ method: 'GET', path }, (answer): Understood<RegisteredSchema | Unusable> => {
        if (notFound(answer, [NO_SCHEMA])) {
          return { word: { unusable: 'the schema registry does not know it (404)', unknown: true } };
        }
        if (answer.status === 404) {
          return { not: `404 to GET ${path} that is not a registry's (no "error_code": ${NO_SCHEMA})` };
        }
        return schemaIn(answer, `GET ${path}`);
      });
      return 'unusable' in schema ? schema : withReferences(schema);
    },

    async register(subject, schema) {
      const path = `/subjects/${encodeURIComponent(subject)}/versions`;
      return demand({ method: 'POST', path, body: { schema } }, (answer) => {
        const { status } = answer;
        if ([401, 403, 404, 409, 422].includes(status)) {
          return { word: refused(`refuses the schema of ${subject} with ${status}${messageIn(answer)}`) };
        }
        return idIn(answer, `POST ${path}`);
      });
    },

    async find(subject, schema) {
      const path = `/subjects/${encodeURIComponent(subject)}`;
      return demand({ method: 'POST', path, body: { schema } }, (answer) => {
        if (notFound(answer, [NO_SCHEMA])) return { word: refused(`does not have this schema under ${subject}`) };
        return notShown(answer, subject) ?? idIn(answer, `POST ${path}`);
      });
    },

    async latest(subject) {
      const path = `/subjects/${encodeURIComponent(subject)}/versions/latest`;
      const { id, version, schema } = await demand({ method: 'GET', path }, (answer) => {
        const hidden = notShown(answer, subject);
        if (hidden !== undefined) return hidden;
        const found = schemaIn(answer, `GET ${path}`);
        const [id, version] = [field(answer, 'id'), field(answer, 'version')];
        if ('not' in found) return found;
        if (!isId(id) || !isId(version)) return { not: describe(answer.status, `GET ${path}`) };
        return { word: { id, version, schema: found.word } };
      });
      const found = 'unusable' in schema ? schema : await withReferences(schema);
      if ('unusable' in found) {
        throw refused(`has a latest schema of ${subject} that cannot be used: ${found.unusable}`);
      }
      return { ...found, id, version };
    },
  };

  /** Throws what the registry refuses. */
  async function demand<T>(
    question: RegistryQuestion,
    understand: (answer: RegistryAnswer) => Understood<T | CodedError>,
  ): Promise<T> {
    const word = await ask(question, understand);
    if (word instanceof CodedError) throw word;
    return word;
  }

  function notShown(answer: RegistryAnswer, subject: string): { readonly word: CodedError } | undefined {
    const { status } = answer;
    if (notFound(answer, [NO_SUBJECT, NO_VERSION])) return { word: refused(`has no subject ${subject}`) };
    if (status !== 401 && status !== 403) return undefined;
    return { word: refused(`refuses to show ${subject} with ${status}${messageIn(answer)}`) };
  }
}

function idIn(answer: RegistryAnswer, to: string): Understood<number> {
  const id = field(answer, 'id');
  return answer.status === 200 && isId(id) ? { word: id } : { not: describe(answer.status, to) };
}

function schemaIn(answer: RegistryAnswer, to: string): Understood<RegisteredSchema | Unusable> {
  const text = field(answer, 'schema');
  const references = referencesIn(field(answer, 'references'));
  if (answer.status !== 200 || typeof text !== 'string' || references === undefined) {
    return { not: describe(answer.status, to) };
  }
  const type = field(answer, 'schemaType') ?? 'AVRO';
  if (type === 'AVRO') return { word: { text, references } };
  const named = /^[A-Z]{1,20}$/.test(String(type)) ? String(type) : 'of another type';
  return { word: { unusable: `it is ${named}, expected AVRO` } };
}

/** Only a registry's own word. */
function notFound(answer: RegistryAnswer, codes: readonly number[]): boolean {
  return answer.status === 404 && codes.includes(field(answer, 'error_code') as number);
}

function isId(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 0xffff_ffff;
}

function field({ body }: RegistryAnswer, name: string): unknown {
  const isObject = typeof body === 'object' && body !== null && !Array.isArray(body);
  return isObject && Object.hasOwn(body, name) ? (body as Record<string, unknown>)[name] : undefined;
}

function messageIn(answer: RegistryAnswer): string {
  const message = field(answer, 'message');
  return typeof message === 'string' ? `: ${message.slice(0, 300)}` : '';
}

function describe(status: number, to: string): string {
  if (status === 401 || status === 403) return `${status} to ${to}: check the name and password in the address`;
  return status === 200 ? `200 to ${to} with a body that is not a registry's` : `${status} to ${to}`;
}
