/**
 * The schema registry over HTTP. An answer is bounded in time and bytes, and redirects are not followed. Name and password
 * of SCHEMA_REGISTRY_URL go into a header and nowhere else: messages carry the address without them.
 */
import { CodedError, messageOf } from '../errors.ts';
import type { Fetch } from '../http/fetch.ts';

export interface SchemaRegistry {
  /** For messages: without name and password. */
  readonly address: string;
  /**
   * The schema of an id; `unusable` when it has none that can be used, which is final, or `unknown`: not yet, as of a follower
   * that lags, or never. Throws CodedError UNREACHABLE when the registry does not say: an outage, to be tried again.
   */
  schema(id: number): Promise<{ readonly text: string } | { readonly unusable: string; readonly unknown?: true }>;
  /** The id of a schema under a subject, new or not. Errors: UNREACHABLE (again), CONFIG (it is refused). */
  register(subject: string, schema: string): Promise<number>;
  /** How many subjects it shows. Errors: UNREACHABLE. */
  subjects(): Promise<number>;
}

/** ms for a whole answer */
const TIMEOUT = 5_000;
/** bytes of a whole answer: a schema in it is escaped once more */
const MAX_BODY = 1024 * 1024;
/** Of a registry that does not know an id. */
const SCHEMA_NOT_FOUND = 40403;
const MEDIA_TYPE = 'application/vnd.schemaregistry.v1+json';

interface Answer {
  readonly status: number;
  /** Undefined when it is not JSON. */
  readonly body: unknown;
}

/** `url`: http or https, perhaps with name and password, without a slash at the end. */
export function createSchemaRegistry(
  url: string,
  { timeout = TIMEOUT, fetch: send = fetch }: { readonly timeout?: number; readonly fetch?: Fetch } = {},
): SchemaRegistry {
  const { address, headers } = splitCredentials(url);

  async function ask(method: 'GET' | 'POST', path: string, body?: unknown): Promise<Answer> {
    try {
      const response = await send(`${address}${path}`, {
        method,
        redirect: 'manual',
        headers: {
          ...headers,
          accept: `${MEDIA_TYPE}, application/json`,
          ...(body === undefined ? {} : { 'content-type': MEDIA_TYPE }),
        },
        signal: AbortSignal.timeout(timeout),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: response.status, body: jsonOf(await readBody(response)) };
    } catch (error) {
      const cause = error instanceof Error ? error.cause : undefined;
      throw outage(cause instanceof Error ? cause.message : messageOf(error), error);
    }
  }

  function outage(what: string, cause?: unknown): CodedError {
    return new CodedError(
      'UNREACHABLE',
      `the schema registry at ${address} (SCHEMA_REGISTRY_URL) gives no usable answer: ${what}`,
      { cause },
    );
  }

  async function subjects(): Promise<number> {
    const { status, body } = await ask('GET', '/subjects');
    if (status !== 200 || !Array.isArray(body)) throw outage(describe(status, 'to GET /subjects'));
    return body.length;
  }

  return {
    address,
    subjects,

    async schema(id) {
      const path = `/schemas/ids/${id}`;
      const { status, body } = await ask('GET', path);
      const answer = asObject(body);
      if (status === 404) {
        // A wrong address and an ingress answer 404 to everything: only the registry's own word turns records into dead letters.
        if (answer?.['error_code'] !== SCHEMA_NOT_FOUND) {
          throw outage(`404 to GET ${path} that is not a registry's (no "error_code": ${SCHEMA_NOT_FOUND})`);
        }
        return { unusable: 'the schema registry does not know it (404)', unknown: true };
      }
      const text = answer?.['schema'];
      if (status !== 200 || typeof text !== 'string') throw outage(describe(status, `to GET ${path}`));
      const { schemaType = 'AVRO', references } = answer as { schemaType?: unknown; references?: unknown };
      if (schemaType !== 'AVRO') {
        return {
          unusable: `it is ${/^[A-Z]{1,20}$/.test(String(schemaType)) ? String(schemaType) : 'of another type'}, expected AVRO`,
        };
      }
      if (Array.isArray(references) && references.length > 0) {
        return { unusable: 'it refers to schemas of other subjects, which are not read' };
      }
      return { text };
    },

    async register(subject, schema) {
      const path = `/subjects/${encodeURIComponent(subject)}/versions`;
      const { status, body } = await ask('POST', path, { schema });
      const answer = asObject(body);
      const id = answer?.['id'];
      if (status === 200 && Number.isInteger(id) && (id as number) >= 0 && (id as number) <= 0xffff_ffff) {
        return id as number;
      }
      if ([401, 403, 404, 409, 422].includes(status)) {
        const why = typeof answer?.['message'] === 'string' ? `: ${answer['message'].slice(0, 300)}` : '';
        throw new CodedError(
          'CONFIG',
          `the schema registry at ${address} (SCHEMA_REGISTRY_URL) refuses the schema of ${subject} with ${status}${why}`,
        );
      }
      throw outage(describe(status, `to POST ${path}`));
    },
  };
}

/** Messages may have the address, and fetch takes none with a name in it. */
function splitCredentials(url: string): {
  readonly address: string;
  readonly headers: Readonly<Record<string, string>>;
} {
  const parsed = new URL(url);
  const { username, password } = parsed;
  parsed.username = '';
  parsed.password = '';
  const address = parsed.href.replace(/\/+$/, '');
  if (username === '' && password === '') return { address, headers: {} };
  const basic = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64');
  return { address, headers: { authorization: `Basic ${basic}` } };
}

async function readBody(response: Response): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.length;
    if (size > MAX_BODY) throw new Error(`more than ${MAX_BODY} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    // Not the registry's: judged by the status and by what is missing.
    return undefined;
  }
}

function asObject(body: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof body === 'object' && body !== null && !Array.isArray(body)
    ? (body as Record<string, unknown>)
    : undefined;
}

function describe(status: number, to: string): string {
  if (status === 401 || status === 403) return `${status} ${to}: check the name and password in the address`;
  return status === 200 ? `200 ${to} with a body that is not a registry's` : `${status} ${to}`;
}
