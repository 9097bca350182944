/** Commands show no log: people are told when the schema registry does not answer, and that it is asked again. */
import { CodedError } from '../engine/errors.ts';
import type { DecoderSource } from '../engine/values/value.ts';
import { saidSeldom } from './output.ts';

export function tellingDecoders(decoders: DecoderSource, say = saidSeldom()): DecoderSource {
  return {
    decoderFor(values) {
      const decoder = decoders.decoderFor(values);
      if (!(decoder instanceof Promise)) return decoder;
      return decoder.catch((error: unknown) => {
        if (error instanceof CodedError && error.code === 'UNREACHABLE') {
          say(`records wait for their schemas, which are asked for again: ${error.message}`);
        }
        throw error;
      });
    },
  };
}
