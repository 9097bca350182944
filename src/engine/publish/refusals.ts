/**
 * What a caller is told when its request is not published. It names no key: it goes into logs, and as a failure into
 * Temporal, where failures are plain text even when payloads are encrypted. The run id leads to the workflow.
 */
import type { PublishRequest } from '../workflow/publish-request.ts';
import { CodedError, messageOf } from '../errors.ts';
import type { RefusedBatch } from '../kafka/topic-rooms.ts';
import type { RefusedVerdict } from './group-commit.ts';

/** The numbers of the stream go on after `last`. */
export class WorkflowReset extends CodedError {
  readonly last: number;

  constructor(message: string, last: number) {
    super('WORKFLOW_RESET', message);
    this.last = last;
  }
}

export function describe({ incarnation, stream, first, outputs }: PublishRequest): string {
  const numbers = outputs.length === 1 ? `${first}` : `${first}..${first + outputs.length - 1}`;
  return `${stream} outputs ${numbers} of the workflow started at ${new Date(incarnation.startedAt).toISOString()} (run ${incarnation.runId})`;
}

export function refusalOf(request: PublishRequest, verdict: RefusedVerdict): CodedError {
  const what = describe(request);
  switch (verdict.type) {
    case 'gap':
      return new CodedError(
        'SEQUENCE_GAP',
        `${what}: the ledger ends at ${verdict.last}, the outputs between are lost. Nothing was published`,
      );
    case 'stale': {
      const { startedAt, runId } = verdict.newer;
      return new CodedError(
        'STALE_INCARNATION',
        `${what}: a newer workflow of this key has published, started at ${new Date(startedAt).toISOString()} (run ${runId})`,
      );
    }
    case 'divergence': {
      const { seq, partition, offset } = verdict.mark;
      const output = request.outputs[seq - request.first];
      return new CodedError(
        'DIVERGENCE',
        `${what}: output ${seq} was published for the record at partition ${partition}, offset ${offset}, ` +
          `and now stands for partition ${output?.partition}, offset ${output?.offset}: the workflow's history was altered`,
      );
    }
    case 'reset':
      return new WorkflowReset(
        `${what}: the workflow was reset to an earlier event, and had published ${verdict.last} by then. It goes on after them`,
        verdict.last,
      );
    default:
      return verdict satisfies never;
  }
}

/** `limit`: max.message.bytes of the topic, where it is known. */
export function outputRefused(
  { incarnation, stream, key }: PublishRequest,
  seq: number,
  topic: string,
  why: { readonly bytes: number; readonly limit?: number | undefined; readonly cause?: RefusedBatch },
): CodedError {
  const what = describe({ incarnation, stream, key, first: seq, outputs: [] }).replace(
    /outputs \d+\.\.\d+/,
    `output ${seq}`,
  );
  const { bytes, limit, cause } = why;
  const advice =
    cause?.why === 'content'
      ? `${messageOf(cause.cause)}: look for a policy of the broker, and at the topic's cleanup.policy and message.timestamp settings`
      : `it has ${bytes} bytes as written${limit === undefined ? '' : `, and max.message.bytes is ${limit}`}: set max.message.bytes of ${topic} to ${roundUp(bytes)} or more`;
  return new CodedError(
    'OUTPUT_REFUSED',
    `${what} is refused by ${topic}, and what follows it in this workflow waits; ${advice}`,
    { cause },
  );
}

function roundUp(bytes: number): number {
  return Math.ceil((bytes * 1.1) / 65_536) * 65_536;
}

export function unpublished(request: PublishRequest, cause: unknown): CodedError {
  return new CodedError('KAFKA', `${describe(request)}: not published in time: ${messageOf(cause)}`, { cause });
}
