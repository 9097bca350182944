import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PublishRequest } from '../../../src/engine/workflow/publish-request.ts';
import { Tracer, type FinishedSpan } from '../../../src/engine/tracing/tracer.ts';
import { traceOf } from '../../../src/money/domain/traced.ts';
import type { Output } from '../../../src/money/domain/types.ts';
import { tracedPublisher } from '../../../src/money/worker/traced-publisher.ts';
import { output } from '../../support/publishing.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';

function traced(offset: number, flags?: string): Output {
  const plain: Output = output('u', offset);
  if (flags === undefined) return plain;
  const forwarded = { headers: [{ name: 'traceparent', value: `00-${TRACE}-b7ad6b7169203331-${flags}` }] };
  return { ...plain, enriched: { ...plain.enriched, money: { ...plain.enriched.money, forwarded } } };
}

async function publish(outputs: readonly Output[], failure?: Error) {
  const spans: FinishedSpan[] = [];
  const asked: PublishRequest<Output>[] = [];
  const publisher = {
    async publish(request: PublishRequest<Output>) {
      asked.push(request);
      if (failure !== undefined) throw failure;
    },
  };
  const tracer = new Tracer({ rootRatio: 1, onSpan: (span) => spans.push(span) });
  const request: PublishRequest<Output> = {
    key: 'u',
    incarnation: { startedAt: 1, runId: 'r' },
    stream: 'applied',
    first: 5,
    outputs,
  };
  const one = tracedPublisher(publisher, tracer, { topic: 'out', shard: 3, workflowId: (userId) => `app/${userId}` });
  const problem = await one.publish(request).then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.equal(problem, failure);
  return { spans, asked: asked[0]!, request };
}

test('an output goes out with the context of its own span, in the trace of its money', async () => {
  const { spans, asked, request } = await publish([traced(1), traced(2, '01'), traced(3, '00')]);
  assert.equal(spans.length, 1);
  const [span] = spans;
  assert.deepEqual(
    [span!.name, span!.context.traceId, span!.parentSpanId, span!.attributes['enrichment.seq']],
    ['send out', TRACE, 'b7ad6b7169203331', 6],
  );
  assert.deepEqual(
    asked.outputs.map(({ enriched }) => traceOf(enriched.money)),
    [undefined, `00-${TRACE}-${span!.context.spanId}-01`, `00-${TRACE}-b7ad6b7169203331-00`],
  );
  // Nothing else of the request is another one.
  assert.deepEqual({ ...asked, outputs: [] }, { ...request, outputs: [] });
  assert.deepEqual([asked.outputs[0], asked.outputs[2]], [request.outputs[0], request.outputs[2]]);
});

test('a request without traces is the very same', async () => {
  const { spans, asked, request } = await publish([traced(1)]);
  assert.deepEqual([spans, asked === request], [[], true]);
});

test('what is not published is a failed span', async () => {
  const { spans } = await publish([traced(2, '01')], new RangeError('x'));
  assert.equal(spans[0]!.error, 'RangeError');
});
