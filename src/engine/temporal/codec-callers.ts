/** Who may ask a codec server, by the header `Authorization: Bearer`. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { messageOf } from '../errors.ts';
import { currentOf, type Fresh } from '../process/secret-file.ts';

/** An answer other than 200. */
export class NotServed extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Resolves with who asks, for the audit line; undefined where nobody says it. Rejects with a {@link NotServed}. */
export type Callers = (authorization: string | undefined) => Promise<string | undefined>;

/** Whoever can reach it. */
export const anybody: Callers = async () => undefined;

/** Whoever knows a secret, as it is when somebody asks. */
export function whoKnows(secret: Fresh): Callers {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return async (authorization) => {
    const given = bearerIn(authorization);
    if (!timingSafeEqual(digest(given), digest(currentOf(secret)))) {
      throw new NotServed(403, 'the token is not the right one');
    }
    return undefined;
  };
}

export interface TokenIssuer {
  /** URL of the JSON Web Key Set. */
  readonly jwks: string;
  /** What `iss` and `aud` have to be. */
  readonly issuer: string;
  readonly audience: string;
}

/**
 * Whoever has a JSON Web Token (RFC 7519) of an issuer that is not over. Its keys are fetched when one is asked for that is not known
 * yet; while they cannot be had the answer is 503.
 */
export function holdersOf({ jwks, issuer, audience }: TokenIssuer): Callers {
  const verify = (async () => {
    const { createRemoteJWKSet, jwtVerify, errors } = await import('jose');
    return { keys: createRemoteJWKSet(new URL(jwks)), jwtVerify, errors };
  })();
  verify.catch(() => undefined);
  return async (authorization) => {
    const token = bearerIn(authorization);
    const { keys, jwtVerify, errors } = await verify;
    try {
      const { payload } = await jwtVerify(token, keys, { issuer, audience, requiredClaims: ['exp'] });
      return payload.sub;
    } catch (error) {
      const ofToken =
        error instanceof errors.JWTInvalid ||
        error instanceof errors.JWTExpired ||
        error instanceof errors.JWTClaimValidationFailed ||
        error instanceof errors.JWSInvalid ||
        error instanceof errors.JWSSignatureVerificationFailed ||
        error instanceof errors.JWKSNoMatchingKey ||
        error instanceof errors.JOSEAlgNotAllowed ||
        error instanceof errors.JOSENotSupported;
      if (ofToken) throw new NotServed(403, `the token is not valid: ${messageOf(error)}`);
      throw new NotServed(503, `the keys of tokens cannot be had from ${jwks}: ${messageOf(error)}`);
    }
  };
}

function bearerIn(authorization: string | undefined): string {
  const [, bearer] = /^Bearer +(\S+)$/i.exec(authorization ?? '') ?? [];
  if (bearer === undefined) throw new NotServed(401, 'expected the header Authorization: Bearer <token>');
  return bearer;
}
