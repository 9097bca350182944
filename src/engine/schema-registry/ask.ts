/**
 * HTTP with a registry that may have several addresses. An answer is bounded in time and bytes, and redirects are not
 * followed. The addresses are asked in turn, first the one that answered last, until one says what is a registry's word.
 * Name and password of an address go into a header and nowhere else: messages carry the address without them.
 */
import { CodedError, messageOf } from '../errors.ts';

export interface RegistryAnswer {
  readonly status: number;
  /** Undefined when it is not JSON. */
  readonly body: unknown;
}

/** What an answer says, or why it is not a registry's word. */
export type Understood<T> = { readonly word: T } | { readonly not: string };

export interface RegistryQuestion {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: unknown;
}

export type AskRegistry = <T>(
  question: RegistryQuestion,
  understand: (answer: RegistryAnswer) => Understood<T>,
) => Promise<T>;

export interface AskOptions {
  /** ms for a whole answer */
  readonly timeout?: number;
  /** How requests are made. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
}

/** ms for a whole answer */
const TIMEOUT = 5_000;
/** bytes of a whole answer: a schema in it is escaped once more */
const MAX_BODY = 1024 * 1024;
const MEDIA_TYPE = 'application/vnd.schemaregistry.v1+json';

interface Address {
  /** For messages: without name and password, and without a slash at the end. */
  readonly shown: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** `urls`: http or https, perhaps with name and password. Errors of what is asked: UNREACHABLE, when none has a word. */
export function askRegistry(
  urls: readonly string[],
  { timeout = TIMEOUT, fetch: send = fetch }: AskOptions,
): { readonly address: string; readonly ask: AskRegistry } {
  const addresses = urls.map(splitCredentials);
  const address = addresses.map(({ shown }) => shown).join(', ');
  let preferred = 0;

  async function request(
    { shown, headers }: Address,
    { method, path, body }: RegistryQuestion,
  ): Promise<RegistryAnswer> {
    const response = await send(`${shown}${path}`, {
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
  }

  return {
    address,
    async ask(question, understand) {
      const said: string[] = [];
      let cause: unknown;
      for (let tried = 0; tried < addresses.length; tried += 1) {
        const index = (preferred + said.length) % addresses.length;
        const asked = addresses[index]!;
        let not: string;
        try {
          const understood = understand(await request(asked, question));
          if ('word' in understood) {
            preferred = index;
            return understood.word;
          }
          ({ not } = understood);
        } catch (error) {
          const reason = error instanceof Error ? error.cause : undefined;
          not = reason instanceof Error ? reason.message : messageOf(error);
          cause = error;
        }
        said.push(addresses.length === 1 ? not : `${asked.shown}: ${not}`);
      }
      throw new CodedError(
        'UNREACHABLE',
        `the schema registry at ${address} (SCHEMA_REGISTRY_URL) gives no usable answer: ${said.join('; ')}`,
        { cause },
      );
    },
  };
}

/** Messages may have the address, and fetch takes none with a name in it. */
function splitCredentials(url: string): Address {
  const parsed = new URL(url);
  const { username, password } = parsed;
  parsed.username = '';
  parsed.password = '';
  const shown = parsed.href.replace(/\/+$/, '');
  if (username === '' && password === '') return { shown, headers: {} };
  const basic = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64');
  return { shown, headers: { authorization: `Basic ${basic}` } };
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
