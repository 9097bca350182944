/** Tokens for Amazon MSK by IAM. What signs them is a package of Amazon's that is installed where it is wanted: it brings the AWS SDK. */
import { createRequire } from 'node:module';
import { CodedError, messageOf } from '../errors.ts';
import type { TokenSource } from '../http/token-source.ts';

export const MSK_IAM_PACKAGE = 'aws-msk-iam-sasl-signer-js';
/** ms before its end at which a token is replaced. */
const MARGIN = 60_000;

interface Signer {
  generateAuthToken(options: {
    readonly region: string;
  }): Promise<{ readonly token: string; readonly expiryTime: number }>;
}

export function hasMskIam(): boolean {
  try {
    createRequire(import.meta.url).resolve(MSK_IAM_PACKAGE);
    return true;
  } catch {
    return false;
  }
}

/** The credentials are those that the AWS SDK finds: environment, profile, role of the pod or the machine. */
export function mskIamToken(region: string): TokenSource {
  let held: { readonly token: string; readonly expiryTime: number } | undefined;
  return {
    async token() {
      if (held !== undefined && Date.now() < held.expiryTime - MARGIN) return held.token;
      const signer = (await import(MSK_IAM_PACKAGE)) as Signer;
      try {
        held = await signer.generateAuthToken({ region });
      } catch (error) {
        throw new CodedError('UNREACHABLE', `no token for Amazon MSK could be signed: ${messageOf(error)}`, {
          cause: error,
        });
      }
      return held.token;
    },
    refused() {
      held = undefined;
    },
    get expiresAt() {
      return held?.expiryTime;
    },
    issuedAt: undefined,
  };
}
