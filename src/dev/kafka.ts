/** A Kafka for development: the jars on this machine's Java, or docker compose where a Docker engine answers. */
import { CodedError } from '../engine/errors.ts';
import { startKafkaBroker } from './kafka-broker.ts';
import type { KafkaBroker, KafkaBrokerOptions } from './kafka-broker.ts';
import { composeFile, dockerAnswers, startComposeKafka } from './kafka-compose.ts';

/** Errors: MISSING_PROGRAM, with everything that was tried; UNREACHABLE. */
export async function startKafka(options: KafkaBrokerOptions): Promise<KafkaBroker> {
  try {
    return await startKafkaBroker(options);
  } catch (error) {
    if (!(error instanceof CodedError) || error.code !== 'MISSING_PROGRAM') throw error;
    const file = composeFile();
    if (file === undefined) throw error;
    if (!(await dockerAnswers(options.signal))) {
      throw new CodedError('MISSING_PROGRAM', `${error.message} A Docker engine would do as well, but none answers.`, {
        cause: error,
      });
    }
    options.log(`${error.message} Using docker compose instead.`);
    return startComposeKafka(file, options);
  }
}
