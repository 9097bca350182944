/** How a connection says who it is. kafkajs keeps the object for all connections of a client: what may change is asked for at each. */
import { CodedError } from '../../errors.ts';
import { currentOf } from '../../process/secret-file.ts';
import type { Sasl } from '../kafka-config.ts';
import type { KafkaJS } from './library.ts';

const PASSWORDS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;
/** Ends a field of the message of RFC 7628. */
const END = '\u0001';
/** bytes of the size before what an authenticator of kafkajs sends and is sent */
const SIZE = 4;

export function saslOptions(sasl: Sasl): KafkaJS.SASLOptions | KafkaJS.Mechanism {
  if ('token' in sasl) return { mechanism: 'oauthbearer', authenticationProvider: (given) => oauthBearer(sasl, given) };
  const { username, password } = sasl;
  const asked = sasl.mechanism.toLowerCase();
  const mechanism = PASSWORDS.find((one) => one === asked);
  if (mechanism === undefined) {
    throw new CodedError(
      'CONFIG',
      `KAFKA_SASL_MECHANISM "${sasl.mechanism}" is not supported: use ${PASSWORDS.join(', ')} or oauthbearer`,
    );
  }
  return {
    mechanism,
    username,
    get password() {
      return currentOf(password);
    },
  } as KafkaJS.SASLOptions;
}

/** kafkajs' own does not read the answer: a token that is refused would be an end of the connection without a reason. */
function oauthBearer(
  { token, refused, extensions = {} }: Extract<Sasl, { token: unknown }>,
  { saslAuthenticate }: KafkaJS.AuthenticationProviderArgs,
): KafkaJS.Authenticator {
  return {
    async authenticate() {
      const fields = Object.entries({ auth: `Bearer ${await token()}`, ...extensions });
      const message = `n,,${END}${fields.map(([name, value]) => `${name}=${value}${END}`).join('')}${END}`;
      const refusal = await saslAuthenticate<string>({
        request: { encode: () => sized(Buffer.from(message)) },
        response: {
          decode: (bytes) => bytes,
          parse: (bytes) => bytes.subarray(SIZE).toString('utf8'),
        },
      });
      // Empty when the token is taken, otherwise JSON with a status such as invalid_token.
      if (refusal === undefined || refusal === '') return;
      const status = /"status"\s*:\s*"([\w-]{1,40})"/.exec(refusal)?.[1] ?? 'no status';
      refused();
      throw Object.assign(new Error(`the broker refuses the token (${status})`), {
        name: 'KafkaJSSASLAuthenticationError',
      });
    },
  };
}

function sized(bytes: Buffer): Buffer {
  const size = Buffer.alloc(SIZE);
  size.writeInt32BE(bytes.length);
  return Buffer.concat([size, bytes]);
}
