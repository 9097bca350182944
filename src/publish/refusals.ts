/**
 * What a caller is told when its request is not published. It names no user: it goes into logs, and as a failure into
 * Temporal, where failures are plain text even when payloads are encrypted. The run id leads to the workflow.
 */
import type { PublishRequest } from '../../activities/contract.ts';
import { EnrichmentError, messageOf } from '../errors.ts';
import type { Refusal } from './group-commit.ts';

export function describe({ incarnation, stream, first, outputs }: PublishRequest): string {
  const numbers = outputs.length === 1 ? `${first}` : `${first}..${first + outputs.length - 1}`;
  return `${stream} outputs ${numbers} of the workflow started at ${new Date(incarnation.startedAt).toISOString()} (run ${incarnation.runId})`;
}

export function refusalOf(request: PublishRequest, verdict: Refusal): EnrichmentError {
  const what = describe(request);
  switch (verdict.type) {
    case 'gap':
      return new EnrichmentError('SEQUENCE_GAP', `${what}: the ledger ends at ${verdict.last}, the outputs between are lost. Nothing was published`);
    case 'stale': {
      const { startedAt, runId } = verdict.newer;
      return new EnrichmentError(
        'STALE_INCARNATION',
        `${what}: a newer workflow of this user has published, started at ${new Date(startedAt).toISOString()} (run ${runId})`,
      );
    }
    case 'divergence': {
      const { seq, partition, offset } = verdict.mark;
      const output = request.outputs[seq - request.first];
      return new EnrichmentError(
        'DIVERGENCE',
        `${what}: output ${seq} was published for the money record at partition ${partition}, offset ${offset}, ` +
          `and now stands for partition ${output?.partition}, offset ${output?.offset}: the workflow's history was altered`,
      );
    }
    default:
      return verdict satisfies never;
  }
}

export function unpublished(request: PublishRequest, cause: unknown): EnrichmentError {
  return new EnrichmentError('KAFKA', `${describe(request)}: not published in time: ${messageOf(cause)}`, { cause });
}
