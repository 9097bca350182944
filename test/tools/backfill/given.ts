/** Logs of one partition triple for the engine, and what the model says of them. */
import assert from 'node:assert/strict';
import {
  PartitionReplay,
  type EngineOptions,
  type Question,
  type UserOutput,
} from '../../../src/tools/backfill/partition-replay.ts';
import type { Fetched } from '../../../src/engine/ordering/merge-queue.ts';

import { decodedOf, decodeRecord } from '../../../src/money/codec/decode.ts';
import { encodeEnriched, outputKey } from '../../../src/money/codec/enriched.ts';
import { INPUTS, type Applicable, type MoneyInput } from '../../../src/money/domain/events.ts';
import { generateTraffic } from '../../../src/tools/generate/traffic.ts';
import type { TrafficOptions } from '../../../src/tools/generate/options.ts';
import {
  DEFAULT_SETTINGS,
  model,
  type ModelResult,
  type ModelSettings,
  type LogRecord,
} from '../../../src/money/model/model.ts';

/** Three inputs, as the application has. */
const INPUT_INDEXES = [0, 1, 2] as const;
type InputIndex = (typeof INPUT_INDEXES)[number];

export type Logs = Record<MoneyInput, LogRecord[]>;

export function logsOf(
  records: Iterable<{
    readonly input: MoneyInput;
    readonly key: string | null;
    readonly value: Buffer | null;
    readonly timestamp: number;
  }>,
): Logs {
  const logs: Logs = { user: [], session: [], money: [] };
  for (const { input, key, value, timestamp } of records) {
    logs[input].push({
      topic: input,
      partition: 0,
      offset: logs[input].length,
      timestamp,
      key: key === null ? null : Buffer.from(key),
      value,
    });
  }
  return logs;
}

export function trafficLogs(options: TrafficOptions): Logs {
  return logsOf(generateTraffic(options));
}

export function expectedOf(
  logs: Logs,
  settings: Partial<ModelSettings>,
  sessionService: (id: string) => string | null | undefined,
): ModelResult {
  return model({
    records: INPUTS.flatMap((input) => logs[input]),
    settings: { ...DEFAULT_SETTINGS, ...settings },
    sessionService,
  });
}

export function engineOf(logs: Logs, options: Partial<EngineOptions> = {}): PartitionReplay {
  const { sessionTtl, dedupTtl, pendingTimeout, outOfOrderness } = DEFAULT_SETTINGS;
  return new PartitionReplay({
    partition: 0,
    starts: [0, 0, 0],
    ends: [logs.user.length, logs.session.length, logs.money.length],
    rules: { sessionTtl, dedupTtl, pendingTimeout, lookupGiveUpAfter: 600_000 },
    outOfOrderness,
    maxHeld: 1_000_000,
    maxHeldBytes: 1e9,
    wants: () => true,
    ...options,
  });
}

export interface Drive {
  /** Records in the next fetch. */
  readonly fetchSize?: () => number;
  readonly budget?: () => number;
  readonly sessionService?: (id: string) => string | null | undefined;
}

/** Feeds the engine until it is finished; all outputs as `offset key value [incomplete]`. */
export function drive(
  engine: PartitionReplay,
  logs: Logs,
  { fetchSize = () => 50, budget = () => 100, sessionService = () => 'UY' }: Drive = {},
): string[] {
  const outputs: UserOutput[] = [];
  const questions: Question[] = [];
  const answer = (): void => {
    const question = questions.shift()!;
    const country = sessionService(question.sessionId);
    const status = country === undefined ? 'given-up' : 'not-found';
    outputs.push(
      engine.resolve(
        question,
        typeof country === 'string' ? { status: 'found', clientCountryCode: country } : { status },
      ),
    );
  };
  for (let turn = 0; !engine.finished; turn += 1) {
    assert.ok(turn < 1_000_000, 'the engine comes to an end');
    const input = (turn % 3) as InputIndex;
    const from = engine.nextFetch(input);
    const log = logs[INPUTS[input]!];
    const raw = log.slice(from, from + fetchSize());
    if (raw.length > 0) {
      engine.offer(
        input,
        raw.map((record) => fetched(record)),
        from + raw.length,
      );
    }
    const result = engine.step(budget());
    outputs.push(...result.outputs);
    questions.push(...result.questions);
    // Answers come late and in the order of asking or another.
    while (questions.length > 20) answer();
  }
  questions.reverse();
  while (questions.length > 0) answer();
  for (const input of INPUT_INDEXES) assert.ok(engine.fetched(input));
  return outputs.map(({ userId, output: { offset, enriched, incomplete } }) =>
    lineOf(offset, outputKey(userId), encodeEnriched(enriched), incomplete === true),
  );
}

export function linesOf({ outputs }: ModelResult): string[] {
  return outputs.map(({ offset, key, value, incomplete }) => lineOf(offset, key, value, incomplete));
}

function lineOf(offset: number, key: string, value: string, incomplete: boolean): string {
  return `${offset} ${key} ${value}${incomplete ? ' incomplete' : ''}`;
}

function fetched(record: LogRecord): Fetched<Applicable['event']> {
  const { offset, timestamp, value } = record;
  const decoded = decodeRecord(record.topic, record, {
    maxRecordBytes: DEFAULT_SETTINGS.maxRecordBytes,
    maxFutureSkew: DEFAULT_SETTINGS.maxFutureSkew,
  });
  return { offset, timestamp, bytes: value?.length ?? 0, decoded: decodedOf(decoded) };
}
