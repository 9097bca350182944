import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Batch } from '../../../src/engine/bridge/signaller.ts';
import { Tracer, type FinishedSpan } from '../../../src/engine/tracing/tracer.ts';
import { tracedSignaller } from '../../../src/money/bridge/traced-signaller.ts';
import { traceOf } from '../../../src/money/domain/traced.ts';
import type { Applicable } from '../../../src/money/domain/types.ts';
import { money, session, T0, USER } from '../domain/given.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const parent = (flags: string): string => `00-${TRACE}-b7ad6b7169203331-${flags}`;

const placed = (input: number, { event, ...rest }: Applicable, traceparent?: string) => ({
  ...rest,
  input,
  event:
    event.type === 'money' && traceparent !== undefined
      ? { ...event, money: { ...event.money, forwarded: { headers: [{ name: 'traceparent', value: traceparent }] } } }
      : event,
});

async function signal(rootRatio: number, failure?: Error) {
  const spans: FinishedSpan[] = [];
  const sent: Batch[] = [];
  const signaller = {
    workflowIdOf: (key: string) => `app/${key}`,
    history: async () => null,
    async signal(_: string, batch: Batch) {
      sent.push(batch);
      if (failure !== undefined) throw failure;
    },
  };
  const batch: Batch = {
    partition: 3,
    lowWater: [0, 0, 0],
    rules: {},
    key: USER,
    records: [
      placed(1, session(0, 's', T0)),
      placed(2, money(7, { ts: T0 }), parent('01')),
      placed(2, money(8, { ts: T0 }), parent('00')),
      placed(2, money(9, { ts: T0 })),
    ],
  };
  const tracer = new Tracer({ rootRatio, onSpan: (span) => spans.push(span) });
  const traced = tracedSignaller(signaller, tracer, ['u', 's', 'w']);
  const problem = await traced.signal(USER, batch).then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.equal(problem, failure);
  assert.equal(traced.workflowIdOf('k'), 'app/k');
  const traces = sent[0]!.records.map(({ event }) => {
    const said = event as Applicable['event'];
    return said.type === 'money' ? traceOf(said.money) : said.type;
  });
  return { spans, traces, batch, sent: sent[0]! };
}

test('money goes on in its own trace, and the signal that carries it has a link to it', async () => {
  const { spans, traces } = await signal(1);
  const [whole, first, unknown] = spans;
  assert.deepEqual(
    spans.map(({ name }) => name),
    ['SignalWithStartWorkflow:userEnrichment', 'process w', 'process w'],
  );
  assert.deepEqual(whole!.links, [{ traceId: TRACE, spanId: 'b7ad6b7169203331', sampled: true }]);
  assert.deepEqual([first!.context.traceId, first!.parentSpanId], [TRACE, 'b7ad6b7169203331']);
  assert.deepEqual(first!.links, [whole!.context]);
  assert.deepEqual(first!.attributes, {
    temporalWorkflowID: `app/${USER}`,
    'messaging.system': 'kafka',
    'messaging.operation.type': 'process',
    'messaging.destination.name': 'w',
    'messaging.destination.partition.id': '3',
    'messaging.kafka.offset': 7,
  });
  assert.deepEqual(traces, [
    'session',
    `00-${TRACE}-${first!.context.spanId}-01`,
    // Its producer records nothing: it is handed on.
    parent('00'),
    `00-${unknown!.context.traceId}-${unknown!.context.spanId}-01`,
  ]);
});

test('where no trace begins, what no traced producer wrote is signalled as it is', async () => {
  const { spans, traces, batch, sent } = await signal(0);
  assert.deepEqual(
    spans.map(({ name }) => name),
    ['process w'],
  );
  assert.deepEqual([traces[2], traces[3]], [parent('00'), undefined]);
  assert.equal(sent.records[3], batch.records[3]);
});

test('a signal that fails is a failed span, and fails as before', async () => {
  const { spans } = await signal(1, new TypeError('away'));
  assert.deepEqual(
    spans.map(({ error }) => error),
    ['TypeError', 'TypeError', 'TypeError'],
  );
});
