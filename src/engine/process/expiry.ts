/** When what a process shows to others ends, and whether that is soon: told before it happens. Pure. */
import { certificatesOf } from './tls-material.ts';

export interface Expiring {
  readonly kind: 'certificate' | 'token';
  /** Of which connection, such as `kafka-client`. */
  readonly name: string;
  /** Epoch ms. */
  readonly expiresAt: number;
  /** Epoch ms; undefined: not known. */
  readonly issuedAt: number | undefined;
}

const DAY = 86_400_000;
/** ms before the end of a certificate, if that is less than a third of its life: those of a day are renewed by machines. */
const CERTIFICATE_WARNING = 30 * DAY;
/** ms before the end of a token whose beginning is not known. */
const TOKEN_WARNING = 600_000;

/** The one of a PEM text that ends first; undefined where none can be read. */
export function certificateExpiry(name: string, pem: string): Expiring | undefined {
  try {
    const ends = certificatesOf(pem).map(({ validFrom, validTo }) => ({
      kind: 'certificate' as const,
      name,
      issuedAt: Date.parse(validFrom),
      expiresAt: Date.parse(validTo),
    }));
    return ends.sort((a, b) => a.expiresAt - b.expiresAt)[0];
  } catch {
    // Said where it is used: at the start, and by the connection that fails.
    return undefined;
  }
}

/** What to say of it at `now`; undefined while there is time. Tokens are replaced late in their life: a tenth of it has to be left. */
export function expiryWarning({ kind, name, expiresAt, issuedAt }: Expiring, now: number): string | undefined {
  const life = issuedAt === undefined ? undefined : expiresAt - issuedAt;
  const margin =
    kind === 'certificate'
      ? Math.min(CERTIFICATE_WARNING, (life ?? Infinity) / 3)
      : Math.min(CERTIFICATE_WARNING, life === undefined ? TOKEN_WARNING : life / 10);
  const left = expiresAt - now;
  if (left > margin) return undefined;
  const when = new Date(expiresAt).toISOString();
  return left <= 0
    ? `the ${kind} ${name} has expired at ${when}: renew it`
    : `the ${kind} ${name} expires at ${when}, in ${timeLeft(left)}: renew it`;
}

function timeLeft(ms: number): string {
  if (ms >= 2 * DAY) return `${Math.floor(ms / DAY)} days`;
  return ms >= 7_200_000 ? `${Math.floor(ms / 3_600_000)} hours` : `${Math.ceil(ms / 60_000)} minutes`;
}
