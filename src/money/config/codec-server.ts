/** What of the configuration is the codec server's. */
import type { TokenIssuer } from '../../engine/temporal/codec-callers.ts';
import type { Fresh } from '../../engine/process/secret-file.ts';
import type { EnvironmentReader } from '../../engine/process/environment-reader.ts';

export interface CodecServerConfig {
  /** Of the header `Authorization: Bearer`. Secret. */
  readonly codecToken?: Fresh;
  /** Whose JSON Web Tokens are taken instead. */
  readonly codecIssuer?: TokenIssuer;
  /** Of web pages that may ask, such as Temporal's UI. */
  readonly codecCorsOrigins: readonly string[];
}

export const CODEC_TOKEN = 'ENRICHMENT_CODEC_TOKEN';
export const CODEC_JWKS = 'ENRICHMENT_CODEC_JWKS_URL';
const ISSUER = 'ENRICHMENT_CODEC_JWT_ISSUER';
const AUDIENCE = 'ENRICHMENT_CODEC_JWT_AUDIENCE';
const ORIGINS = 'ENRICHMENT_CODEC_CORS_ORIGINS';

export function readCodecServer(read: EnvironmentReader): CodecServerConfig {
  const codecToken = read.freshSecret(CODEC_TOKEN, 16);
  const codecCorsOrigins = read
    .text(ORIGINS, '')
    .split(',')
    .map((origin) => origin.trim())
    .filter((origin) => origin !== '');
  if (!codecCorsOrigins.every((origin) => URL.canParse(origin) && new URL(origin).origin === origin)) {
    read.problem(ORIGINS, 'origins such as http://localhost:8233, without a path, several separated by commas');
  }
  const codecIssuer = readIssuer(read);
  if (codecToken !== undefined && codecIssuer !== undefined) {
    read.add(`${CODEC_TOKEN} and ${CODEC_JWKS} are both set: expected one of them`);
  }
  return {
    ...(codecToken !== undefined && { codecToken }),
    ...(codecIssuer !== undefined && { codecIssuer }),
    codecCorsOrigins,
  };
}

function readIssuer(read: EnvironmentReader): TokenIssuer | undefined {
  const jwks = read.url(CODEC_JWKS);
  const [issuer, audience] = [read.text(ISSUER, ''), read.text(AUDIENCE, '')];
  const names = [CODEC_JWKS, ISSUER, AUDIENCE] as const;
  const missing = names.filter((name) => !read.isSet(name));
  if (missing.length === names.length) return undefined;
  for (const name of missing) read.missing(name, `all of ${names.join(', ')}, or none`);
  return jwks === undefined ? undefined : { jwks, issuer, audience };
}
