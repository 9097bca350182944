/** Variables `<prefix>_CA`, `_CERT`, `_KEY` and `_KEY_PASSPHRASE`: whom a connection trusts, and who it is. */
import type { EnvironmentReader } from '../../engine/process/environment-reader.ts';
import { tlsProblems, type TlsMaterial } from '../../engine/process/tls-material.ts';

/** Undefined: none of them is set. */
export function readTls(read: EnvironmentReader, prefix: string): TlsMaterial | undefined {
  const ca = read.pem(`${prefix}_CA`);
  const cert = read.pem(`${prefix}_CERT`);
  const key = read.pem(`${prefix}_KEY`, { secret: true });
  const passphrase = read.freshSecret(`${prefix}_KEY_PASSPHRASE`);
  const [hasCert, hasKey] = [read.isSet(`${prefix}_CERT`), read.isSet(`${prefix}_KEY`)];
  if (hasCert !== hasKey) {
    read.missing(`${prefix}_${hasCert ? 'KEY' : 'CERT'}`, `both of ${prefix}_CERT and ${prefix}_KEY, or neither`);
  }
  if (passphrase !== undefined && !hasKey) {
    read.missing(`${prefix}_KEY`, `the key that ${prefix}_KEY_PASSPHRASE opens`);
  }
  const material: TlsMaterial = {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(passphrase === undefined ? {} : { passphrase }),
  };
  for (const problem of tlsProblems(material, prefix)) read.add(problem);
  return Object.keys(material).length === 0 ? undefined : material;
}
