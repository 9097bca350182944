/** What a failed TLS connection means, and what to do: OpenSSL's own words say neither. */

/** `$CA`, `$CERT` and `$KEY` stand for the names of the variables. */
const REASONS: readonly (readonly [code: RegExp, reason: string])[] = [
  [
    /^(SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_GET_ISSUER_CERT(_LOCALLY)?|UNABLE_TO_VERIFY_LEAF_SIGNATURE)$/,
    'its certificate comes from an authority that is not trusted here: set $CA to the certificate of that authority',
  ],
  [/^CERT_HAS_EXPIRED$/, 'its certificate has expired: renew it there (or the clock of this machine is wrong)'],
  [/^CERT_NOT_YET_VALID$/, 'its certificate is not valid yet: the clock here or there is wrong'],
  [
    /ALERT_(CERTIFICATE_EXPIRED|CERTIFICATE_REVOKED)$/,
    'it does not take the client certificate of $CERT, which is not valid any more: renew it',
  ],
  [
    /ALERT_(CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE|UNKNOWN_CA|CERTIFICATE_UNKNOWN|BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|ACCESS_DENIED)$/,
    'it demands a client certificate that it trusts and that has not expired: set $CERT and $KEY to such a one',
  ],
  [/WRONG_VERSION_NUMBER$|PACKET_LENGTH_TOO_LONG$/, 'what answers at that port does not speak TLS'],
];

/** Of the variables, for people. */
export interface TlsNames {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Undefined: it is no failure of TLS that is known. `names`: or the prefix of the variables, such as `KAFKA_SSL`. */
export function tlsReason(error: unknown, names: TlsNames | string): string | undefined {
  const { ca, cert, key } =
    typeof names === 'string' ? { ca: `${names}_CA`, cert: `${names}_CERT`, key: `${names}_KEY` } : names;
  for (let at = error, depth = 0; at instanceof Error && depth < 10; at = at.cause, depth++) {
    if (at.message.endsWith('before secure TLS connection was established')) {
      return 'the connection ended before TLS was established: what answers at that port may not speak TLS';
    }
    const { code } = at as { code?: unknown };
    if (typeof code !== 'string') continue;
    if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `its certificate is for another host (${at.message})`;
    const found = REASONS.find(([pattern]) => pattern.test(code));
    if (found !== undefined) return found[1].replace('$CA', ca).replace('$CERT', cert).replace('$KEY', key);
  }
  return undefined;
}
