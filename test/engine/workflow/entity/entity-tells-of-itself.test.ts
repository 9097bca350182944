/** What an entity shows to who looks at it, and what it warns of. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PublishAnswer } from '../../../../src/engine/workflow/publish-request.ts';
import { after, ENTITY, Run, type Plain } from './given.ts';

describe('who looks', () => {
  it('sees a life, whether all is applied, and whether signals wait for room', async () => {
    const seen: Plain = {
      ...ENTITY,
      notes: { ...ENTITY.notes, queries: { sight: 'what is seen' } },
      queries: {
        sight: ({ key, settled, waitsForRoom, life }, ...args: never[]) => [
          key,
          settled,
          waitsForRoom,
          life.state?.texts ?? null,
          ...args,
        ],
      },
    };
    const run = new Run(seen);
    const { answer, says } = run.queries.get('sight')!;
    assert.equal(says, 'what is seen');
    const look = (): unknown => answer('with' as never, 'this' as never);
    assert.deepEqual(look(), ['k', true, false, null, 'with', 'this']);
    await run.signals(['x', 'now a']);
    assert.deepEqual(look(), ['k', false, false, ['x'], 'with', 'this']);
    await run.answer();
    assert.deepEqual(look(), ['k', true, false, ['x'], 'with', 'this']);
  });

  it('is told of what stands, and of what was published last', async () => {
    const seen: Plain = {
      ...ENTITY,
      notes: {
        ...ENTITY.notes,
        details: (life, recent) =>
          `${life.state?.texts.length ?? 0}: ${recent.map(({ output, stream, at }) => `${output.record.says} ${stream} ${at}`).join()}`,
      },
    };
    const run = new Run(seen);
    assert.equal(run.described, '0: ');
    await run.signals(['x', 'now a', 'later b']);
    const local = { at: 40 } satisfies PublishAnswer;
    await run.answer(local);
    assert.equal(run.described, '1: a applied 40');
    await run.answer({ at: 50 });
    assert.equal(run.described, '1: b resolved 50,a applied 40');
  });

  it('is warned when signals wait for room, once', async () => {
    let full = false;
    const run = new Run({ ...ENTITY, sizes: { ...ENTITY.sizes, carried: () => (full ? 3_000_000 : 0) } });
    await run.signals(['later a']);
    full = true;
    await run.signals(['now b']);
    assert.deepEqual(run.published, ['resolved 1 a']);
    run.nudge();
    await run.settle();
    assert.deepEqual(run.counted, [{ what: 'happened', kind: 'waits-for-room' }]);
    // What is owed is published, and nothing owed may wait.
    await run.answer();
    assert.deepEqual(run.published, ['resolved 1 a', 'applied 1 b']);
  });

  it('is told when records come from a second partition', async () => {
    const run = await after(['x']);
    run.signal(['y'], { partition: 4 });
    await run.settle();
    assert.deepEqual(run.counted, [{ what: 'happened', kind: 'second-partition' }]);
  });
});
