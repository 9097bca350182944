import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createPublish } from '../../activities/publish.ts';
import { createReadWatermark } from '../../activities/read-watermark.ts';
import { FAILURES } from '../../activities/contract.ts';
import { CodedError, type ErrorCode } from '../../src/engine/errors.ts';
import { request as requestOf } from '../support/publishing.ts';

/** As workflows ask, and as the publisher is asked. */
function request(...args: Parameters<typeof requestOf>) {
  const { key, ...rest } = requestOf(...args);
  return { ...rest, userId: key };
}

async function failureOf(error: unknown, isLocal: boolean): Promise<ApplicationFailure> {
  const publish = createPublish({ publisher: { publish: () => Promise.reject(error) } });
  const environment = new MockActivityEnvironment({ isLocal });
  try {
    await environment.run(publish, request('u', 1, 1));
  } catch (failure) {
    assert.ok(failure instanceof ApplicationFailure);
    return failure;
  }
  return assert.fail('it did not fail');
}

describe('the publish activity', () => {
  it('publishes', async () => {
    const published: unknown[] = [];
    const publish = createPublish({ publisher: { publish: async (wanted) => void published.push(wanted) } });
    await new MockActivityEnvironment({ isLocal: true }).run(publish, request('u', 1, 2));
    assert.deepEqual(published, [requestOf('u', 1, 2)]);
  });

  const FINAL: [ErrorCode, string][] = [
    ['SEQUENCE_GAP', FAILURES.sequenceGap],
    ['STALE_INCARNATION', FAILURES.staleIncarnation],
    ['DIVERGENCE', FAILURES.divergence],
  ];
  for (const [code, type] of FINAL) {
    it(`${code} ends a local activity at once, and is asked again by a regular one after a minute: ${type}`, async () => {
      for (const isLocal of [true, false]) {
        const failure = await failureOf(new CodedError(code, 'what is wrong'), isLocal);
        assert.deepEqual(
          [failure.type, failure.nonRetryable, failure.message, failure.nextRetryDelay],
          [type, isLocal, 'what is wrong', 60_000],
        );
      }
    });
  }

  it('a lost shard ends a local activity at once, and is tried again by a regular one', async () => {
    const lost = new CodedError('SHARD_NOT_OWNED', 'lost');
    assert.deepEqual(
      [(await failureOf(lost, true)).type, (await failureOf(lost, true)).nonRetryable],
      [FAILURES.shardNotOwned, true],
    );
    assert.deepEqual(
      [(await failureOf(lost, false)).type, (await failureOf(lost, false)).nonRetryable],
      [FAILURES.shardNotOwned, false],
    );
  });

  it('anything else is tried again', async () => {
    for (const error of [
      new CodedError('KAFKA', 'away'),
      new CodedError('FENCED', 'fenced'),
      new Error('what'),
      'text',
    ]) {
      const failure = await failureOf(error, true);
      assert.deepEqual([failure.type, failure.nonRetryable], [FAILURES.publishFailed, false]);
    }
  });
});

describe('the watermark activity', () => {
  const read = (watermark: number | null) =>
    createReadWatermark({ committedWatermark: async (partition) => (partition === 3 ? watermark : assert.fail()) });

  it('looks', async () => {
    assert.equal(await read(50)({ partition: 3 }), 50);
    assert.equal(await read(null)({ partition: 3 }), null);
  });

  it('waits until the watermark is greater, not equal', async () => {
    assert.equal(await read(51)({ partition: 3, passes: 50 }), 51);
    for (const watermark of [50, 49, null]) {
      await assert.rejects(read(watermark)({ partition: 3, passes: 50 }), (error: unknown) => {
        assert.ok(error instanceof ApplicationFailure);
        assert.deepEqual([error.type, error.nonRetryable ?? false], [FAILURES.watermarkNotReached, false]);
        return true;
      });
    }
  });
});

for (const isLocal of [true, false]) {
  it(`an output that the broker refuses ${isLocal ? 'fails its task, which waits without a slot' : 'is tried again by its activity'}`, async () => {
    const publisher = {
      publish: async () => {
        throw new CodedError('OUTPUT_REFUSED', 'too large');
      },
    };
    const request = {
      userId: 'u',
      incarnation: { startedAt: 1, runId: 'r' },
      stream: 'applied',
      first: 1,
      outputs: [],
    } as const;
    await assert.rejects(createPublish({ publisher, isLocal: () => isLocal })(request), {
      type: 'OutputRefused',
      nonRetryable: isLocal,
    });
  });
}
