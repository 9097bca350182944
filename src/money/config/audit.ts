/** Where the lines about commands go that read personal data or write (src/cli/audit.ts). */
import type { EnvironmentReader } from '../../engine/process/environment-reader.ts';

export interface AuditConfig {
  /** Lines of JSON are added to it; undefined: none are written. */
  readonly auditFile?: string;
}

export function readAudit(read: EnvironmentReader): AuditConfig {
  const file = read.text('ENRICHMENT_AUDIT_FILE', '');
  return file === '' ? {} : { auditFile: file };
}
