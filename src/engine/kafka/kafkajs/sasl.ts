/** How a connection says who it is. kafkajs keeps the object for all connections of a client: what may change is asked for at each. */
import { CodedError } from '../../errors.ts';
import { currentOf } from '../../process/secret-file.ts';
import type { Sasl } from '../kafka-config.ts';
import type { KafkaJS } from './library.ts';

const PASSWORDS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;

export function saslOptions(sasl: Sasl): KafkaJS.SASLOptions {
  if ('token' in sasl) throw new CodedError('CONFIG', 'todo');
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
