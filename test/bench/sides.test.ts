import assert from 'node:assert/strict';
import { test } from 'node:test';
import { samplesOf, sumOf } from '../../bench/prometheus.ts';
import { sideOf } from '../../bench/sides.ts';

test('a side is a build with settings of its own, or the bare touch', () => {
  const { program, ...side } = sideOf('linger=.,ENRICHMENT_A=20s,ENRICHMENT_B=x=y') as { program: string };
  assert.deepEqual(side, { kind: 'build', name: 'linger', env: { ENRICHMENT_A: '20s', ENRICHMENT_B: 'x=y' } });
  assert.match(program, /bin\/money-enrichment\.js$/);
  assert.deepEqual(sideOf('bare'), { kind: 'bare', name: 'bare' });
  assert.equal((sideOf('new') as { name: string }).name, 'new');
  assert.throws(() => sideOf('old=/nowhere'), /there is no \/nowhere\/bin\/money-enrichment\.js/);
  assert.throws(() => sideOf('a=.,lower=1'), /expected SETTING=VALUE, got "lower=1"/);
});

test("Prometheus' text is read, with and without labels", () => {
  const samples = samplesOf(
    ['# TYPE a counter', 'a 3', 'b{topic="x",reason="too \\"large\\""} 4.5', 'b{topic="y"} 1e3', ''].join('\n'),
  );
  assert.equal(sumOf(samples, 'a'), 3);
  assert.equal(sumOf(samples, 'b'), 1_004.5);
  assert.equal(sumOf(samples, 'b', { topic: 'x' }), 4.5);
  assert.equal(sumOf(samples, 'c'), 0);
});
