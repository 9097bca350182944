/** For a test that has failed: what became of money on its way through a user's workflow, as Temporal's histories tell it. */
import { Client, Connection } from '@temporalio/client';
import { dataConverter } from '../../src/engine/temporal/payload-codec.ts';
import { decoderOf } from '../../src/engine/temporal/decode-payloads.ts';
import type { EventBatch } from '../../workflows/messages.ts';
import type { UserStateView } from '../../workflows/views.ts';

/** Runs of a user, what ended each and how its tasks went; for each money record the events of the signals that brought it; and the counters. */
export async function whereabouts(address: string, workflowId: string, money: readonly string[]): Promise<string[]> {
  const connection = await Connection.connect({ address });
  try {
    const client = new Client({ connection, dataConverter });
    const { workflow } = client;
    const decode = decoderOf(client);
    const lines: string[] = [];
    for await (const run of workflow.list({ query: `WorkflowId = '${workflowId}'` })) {
      const { events } = await workflow.getHandle(workflowId, run.runId).fetchHistory();
      const kinds: string[] = [];
      const found = new Map<string, string[]>(money.map((place) => [place, []]));
      for (const { eventId, eventType, workflowExecutionSignaledEventAttributes: signal, ...rest } of events ?? []) {
        const kind = signal
          ? 's'
          : (Object.keys(rest).find((name) => rest[name as keyof typeof rest] && name.endsWith('Attributes')) ??
            String(eventType));
        kinds.push(kind.replace('EventAttributes', '').replace('workflowTask', 'T').replace('workflowExecution', 'W'));
        if (!signal) continue;
        const [batch] = await decode<EventBatch>(signal.input?.payloads as never);
        for (const { offset, event } of batch?.records ?? []) {
          if (event.type === 'money') {
            found
              .get(`${batch!.partition}/${offset}`)
              ?.push(`${String(eventId)} (low water ${batch!.lowWater.join(',')})`);
          }
        }
      }
      lines.push(`run ${run.runId} ${run.status.name}: ${kinds.join(' ').replaceAll(/(\S+)(?: \1)+/g, '$1*')}`);
      for (const [place, signals] of found) lines.push(`  money ${place} in the events ${signals.join('; ')}`);
    }
    const state = await workflow.getHandle(workflowId).query<UserStateView>('state').catch(String);
    lines.push(typeof state === 'string' ? state : JSON.stringify(state.counters));
    return lines;
  } finally {
    await connection.close();
  }
}
