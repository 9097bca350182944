/** Publish requests, and processes that publish, for tests. */
import { randomUUID } from 'node:crypto';
import type { Incarnation, Output, Stream } from '../../activities/contract.ts';
import type { PublishRequest as Request } from '../../src/engine/workflow/publish-request.ts';
import { CodedError } from '../../src/engine/errors.ts';
import type { KafkaPort } from '../../src/engine/kafka/port.ts';
import { systemClock } from '../../src/engine/clock.ts';
import type { Clock } from '../../src/engine/clock.ts';
import { createOwnership } from '../../src/engine/publish/ownership.ts';
import type { Ownership } from '../../src/engine/publish/ownership.ts';
import type { EncodedOutput, CommitLimits } from '../../src/engine/publish/group-commit.ts';
import type { Publisher, ShardEvent } from '../../src/engine/publish/publisher.ts';
import { shardOf } from '../../src/money/codec/shard.ts';
import { eventually } from './eventually.ts';

type PublishRequest = Request<Output>;

export const FIRST_LIFE: Incarnation = { startedAt: 1_000, runId: 'run-1' };
export const SECOND_LIFE: Incarnation = { startedAt: 2_000, runId: 'run-2' };

/** An output whose money record is at `offset` of partition 0. */
export function output(userId: string, offset: number): Output {
  return {
    partition: 0,
    offset,
    enriched: {
      userId,
      money: {
        id: `money-${offset}`,
        ts: offset,
        amount: '1.00',
        currency: 'EUR',
        closingBalance: '1.00',
        moneyType: 'bet',
        isOldMoneyEvent: false,
      },
      firstOccurrence: false,
    },
  };
}

/** Outputs `first .. last` of a stream; output n stands for the money record at offset 100 + n. */
export function request(
  userId: string,
  first: number,
  last: number,
  { stream = 'applied', incarnation = FIRST_LIFE }: { stream?: Stream; incarnation?: Incarnation } = {},
): PublishRequest {
  const outputs = Array.from({ length: last - first + 1 }, (_, index) => output(userId, 100 + first + index));
  return { key: userId, incarnation, stream, first, outputs };
}

/** Key and a value that names the output. */
export function encode({ offset, incomplete }: Output, userId: string): EncodedOutput {
  return {
    key: `"${userId}"`,
    value: `${userId}:${offset}`,
    ...(incomplete === true ? { headers: { enrichment: 'incomplete' } } : {}),
  };
}

export interface Process {
  readonly ownership: Ownership;
  readonly shards: Map<number, Publisher>;
  readonly events: ShardEvent[];
  readonly crashes: Error[];
  /** Of the shard of this user; waits until it is there. */
  publish(request: PublishRequest): Promise<void>;
}

export interface ProcessOptions {
  readonly name: string;
  readonly appId: string;
  readonly outputTopic: string;
  readonly ledgerTopic: string;
  readonly shards: number;
  readonly clock?: Clock;
  readonly limits?: CommitLimits;
}

export async function startProcess(kafka: KafkaPort, options: ProcessOptions): Promise<Process> {
  const shards = new Map<number, Publisher>();
  const events: ShardEvent[] = [];
  const crashes: Error[] = [];
  const ownership = createOwnership({
    appId: options.appId,
    outputTopic: options.outputTopic,
    ledgerTopic: options.ledgerTopic,
    kafka,
    encode,
    clock: options.clock ?? systemClock,
    host: options.name,
    newId: () => `${options.name}-${randomUUID()}`,
    random: () => 0.5,
    onTaken: (shard, publisher) => void shards.set(shard, publisher),
    onLost: (shard) => void shards.delete(shard),
    onCrash: (error) => void crashes.push(error),
    onEvent: (event) => void events.push(event),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  });
  await ownership.start();
  return {
    ownership,
    shards,
    events,
    crashes,
    async publish(wanted) {
      const shard = shardOf(wanted.key, options.shards);
      const publisher = await eventually(`shard ${shard} on ${options.name}`, () => shards.get(shard), 60_000);
      await publisher.publish(wanted);
    },
  };
}

/** For assert.rejects. */
export function withCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof CodedError && error.code === code;
}
