/** What a namespace of Temporal has to be for the guarantees and for the commands that read histories. Pure. */
import { failed, ok, warning } from './finding.ts';
import type { Finding } from './finding.ts';

export interface NamespaceFacts {
  /** How long closed runs are kept, seconds. */
  readonly retention: number;
  /** bytes that one payload may have; undefined: an older server does not tell it */
  readonly blobLimit: number | undefined;
  readonly registered: boolean;
}

const DAY_SECONDS = 86_400;
/** bytes: what a signal with the largest record takes (src/money/domain/bounds.ts) */
const SIGNAL = 2 * 1024 * 1024;

export function namespaceFindings(subject: string, { retention, blobLimit, registered }: NamespaceFacts): Finding[] {
  const findings: Finding[] = [];
  if (!registered) {
    findings.push(
      failed(subject, 'it is deprecated or deleted, and takes no new workflows: set TEMPORAL_NAMESPACE to another'),
    );
  }
  if (retention > 0 && retention < DAY_SECONDS) {
    findings.push(
      warning(
        subject,
        `it keeps closed workflows for ${Math.round(retention / 360) / 10} hours: explain, replay and a reset see no further back; set its retention to 1 day or more`,
      ),
    );
  }
  if (blobLimit !== undefined && blobLimit > 0 && blobLimit < SIGNAL) {
    findings.push(
      failed(
        subject,
        `its limit.blobSize.error is ${blobLimit}: signals of up to ${SIGNAL} bytes are refused, and their users wait; set it to ${SIGNAL}, or lower ENRICHMENT_MAX_RECORD_BYTES`,
      ),
    );
  }
  return findings.length > 0
    ? findings
    : [ok(subject, `exists, keeps closed workflows for ${retention / DAY_SECONDS} days`)];
}
