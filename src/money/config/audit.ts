/** Where the lines about commands go that read personal data or write (src/cli/audit.ts). */
import type { EnvironmentReader } from '../../engine/process/environment-reader.ts';

export interface AuditConfig {
  /** Lines of JSON are added to it; undefined: none are written. */
  readonly auditFile?: string;
  /** Who runs a command, as they say; undefined: the account of the operating system. */
  readonly operator?: string;
}

export function readAudit(read: EnvironmentReader): AuditConfig {
  const file = read.text('ENRICHMENT_AUDIT_FILE', '');
  const operator = read.text(
    'ENRICHMENT_OPERATOR',
    '',
    /^([\p{L}\p{N}][\p{L}\p{N} ._@+-]{0,99})?$/u,
    'a name, or an address of mail, of at most 100 characters',
  );
  return { ...(file !== '' && { auditFile: file }), ...(operator !== '' && { operator }) };
}
