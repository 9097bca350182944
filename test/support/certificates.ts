/** Certificates that a test makes for itself, with openssl. Private keys are PKCS#8 without a passphrase, unless one is asked for. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Issued {
  /** Paths of PEM files. */
  readonly cert: string;
  readonly key: string;
}

export interface Authority extends Issued {
  /** `days`: of its life from now; below 0, it has expired. */
  issue(name: string, days?: number): Issued;
}

const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'] as const;

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** Its certificates are of 127.0.0.1 and localhost. */
export function authority(folder: string, name: string): Authority {
  const own = filesOf(folder, name);
  openssl('req', '-x509', ...EC, '-keyout', own.key, '-out', own.cert, '-days', '400', '-subj', `/CN=${name}`);
  const extensions = join(folder, `${name}.ext`);
  writeFileSync(extensions, 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
  return {
    ...own,
    issue(subject, days = 100) {
      const issued = filesOf(folder, `${name}-${subject}`);
      const request = `${issued.cert}.csr`;
      openssl('req', '-new', ...EC, '-keyout', issued.key, '-out', request, '-subj', `/CN=${subject}`);
      openssl(
        ...['x509', '-req', '-in', request, '-CA', own.cert, '-CAkey', own.key, '-CAcreateserial'],
        ...['-days', String(days), '-extfile', extensions, '-out', issued.cert],
      );
      return issued;
    },
  };
}

/** Path of the same key, encrypted. */
export function encrypted(key: string, passphrase: string): string {
  const path = `${key}.encrypted`;
  openssl('pkcs8', '-topk8', '-in', key, '-out', path, '-passout', `pass:${passphrase}`);
  return path;
}

/** Key and certificate in one file, as brokers take them. */
export function together({ cert, key }: Issued): string {
  const path = `${cert}.both`;
  writeFileSync(path, readFileSync(key, 'utf8') + readFileSync(cert, 'utf8'));
  return path;
}

function filesOf(folder: string, name: string): Issued {
  return { cert: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
}
