/** Certificates and keys of a TLS connection, and what is wrong with them, said before anything connects. */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { currentOf, type Fresh } from './secret-file.ts';

/** PEM texts, read again for each connection. */
export interface TlsMaterial {
  readonly ca?: Fresh;
  readonly cert?: Fresh;
  readonly key?: Fresh;
  readonly passphrase?: Fresh;
}

/** As `tls.connect` takes them, as they are now. */
export function tlsMaterialNow({ ca, cert, key, passphrase }: TlsMaterial): {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly passphrase?: string;
} {
  return {
    ...(ca === undefined ? {} : { ca: currentOf(ca) }),
    ...(cert === undefined ? {} : { cert: currentOf(cert) }),
    ...(key === undefined ? {} : { key: currentOf(key) }),
    ...(passphrase === undefined ? {} : { passphrase: currentOf(passphrase) }),
  };
}

/** Each certificate of a PEM text. Throws where one cannot be read. */
export function certificatesOf(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}

/** `prefix`: of the variables, such as `KAFKA_SSL`. Says nothing of what is in them. */
export function tlsProblems(material: TlsMaterial, prefix: string): string[] {
  const { ca, cert, key, passphrase } = tlsMaterialNow(material);
  const problems: string[] = [];
  if (ca !== undefined && readable(ca) === undefined) {
    problems.push(`${prefix}_CA: expected one or more certificates in PEM, and what is there cannot be read as such`);
  }
  const own = cert === undefined ? undefined : readable(cert);
  if (cert !== undefined && own === undefined) {
    problems.push(`${prefix}_CERT: expected a certificate in PEM, and what is there cannot be read as such`);
  }
  if (key === undefined) return problems;
  const opened = openKey(key, passphrase);
  if ('problem' in opened) return [...problems, `${prefix}_${opened.problem.replaceAll('$', prefix)}`];
  if (own !== undefined && !own[0]!.checkPrivateKey(opened.key)) {
    problems.push(`${prefix}_CERT: it is not the certificate of the key in ${prefix}_KEY`);
  }
  return problems;
}

function readable(pem: string): X509Certificate[] | undefined {
  try {
    const found = certificatesOf(pem);
    return found.length === 0 ? undefined : found;
  } catch {
    return undefined;
  }
}

/** `$` stands for the prefix. The words of OpenSSL say nothing that a person could use. */
function openKey(
  key: string,
  passphrase: string | undefined,
): { readonly key: KeyObject } | { readonly problem: string } {
  const encrypted = key.includes('ENCRYPTED');
  if (encrypted && passphrase === undefined) {
    return { problem: 'KEY is encrypted: expected its passphrase in $_KEY_PASSPHRASE' };
  }
  try {
    return { key: createPrivateKey({ key, ...(passphrase === undefined ? {} : { passphrase }) }) };
  } catch {
    return {
      problem: encrypted
        ? 'KEY_PASSPHRASE="***": expected the passphrase of the key in $_KEY, which it does not open'
        : 'KEY: expected a private key in PEM, and what is there cannot be read as such',
    };
  }
}
