/** What of the configuration is the codec server's. */
import type { EnvironmentReader } from '../../engine/process/environment-reader.ts';

export interface CodecServerConfig {
  /** Of the header `Authorization: Bearer`. Secret. */
  readonly codecToken?: string;
  /** Of web pages that may ask, such as Temporal's UI. */
  readonly codecCorsOrigins: readonly string[];
}

export const CODEC_TOKEN = 'ENRICHMENT_CODEC_TOKEN';
const ORIGINS = 'ENRICHMENT_CODEC_CORS_ORIGINS';

export function readCodecServer(read: EnvironmentReader): CodecServerConfig {
  const codecToken = read.secret(CODEC_TOKEN, 16);
  const codecCorsOrigins = read
    .text(ORIGINS, '')
    .split(',')
    .map((origin) => origin.trim())
    .filter((origin) => origin !== '');
  if (!codecCorsOrigins.every((origin) => URL.canParse(origin) && new URL(origin).origin === origin)) {
    read.problem(ORIGINS, 'origins such as http://localhost:8233, without a path, several separated by commas');
  }
  return { ...(codecToken === undefined ? {} : { codecToken }), codecCorsOrigins };
}
