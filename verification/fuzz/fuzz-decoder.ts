/** Runs hostile records through the decoder: verdicts, the longest stall, memory, and the first failure in full. */
import { setImmediate as turn } from 'node:timers/promises';
import { decodeRecord, type Limits } from '../../src/money/codec/decode.ts';
import { judge, MAX_STALL, type Decode } from './judge-decoder.ts';
import { Memory } from './memory.ts';
import { minimised, shownRecord } from './minimise.ts';
import { hostileRecord, randomOf, type HostileRecord } from './records.ts';

export interface DecoderReport {
  readonly inputs: number;
  readonly verdicts: Readonly<Record<string, number>>;
  /** ms: the longest that one record took, and what took it. */
  readonly longest: { readonly ms: number; readonly index: number };
  /** bytes of resident memory beyond the warm-up, at most. */
  readonly growth: number;
  /** bytes that are alive in the end beyond those of the beginning. */
  readonly live: number;
  readonly failure?: string;
}

export interface DecoderFuzzOptions {
  readonly seed: number;
  readonly inputs: number;
  readonly from?: number;
  readonly decode?: Decode;
}

const NOW = Date.UTC(2026, 0, 31, 10);
/** Of the inputs: with the limit of production, so that a few are really large. */
const ONE_IN = 1_000;
const MEASURED_EVERY = 10_000;
const USERS = [
  '0a7f5c36-6d0c-4f6e-9a52-0f8f1d3b2c11',
  'ffffffff-ffff-4fff-bfff-ffffffffffff',
  '00000000-0000-4000-8000-000000000000',
];

function inputOf(seed: number, index: number): { readonly record: HostileRecord; readonly limits: Limits } {
  const limits: Limits = { maxRecordBytes: index % ONE_IN === 0 ? 1_048_576 : 3_000, maxFutureSkew: 3_600_000 };
  return {
    record: hostileRecord(randomOf(seed, index), { users: USERS, now: NOW, anyTimestamp: true, ...limits }),
    limits,
  };
}

export async function fuzzDecoder({
  seed,
  inputs,
  from = 0,
  decode = decodeRecord,
}: DecoderFuzzOptions): Promise<DecoderReport> {
  const verdicts: Record<string, number> = {};
  let longest = { ms: 0, index: -1 };
  let failure: string | undefined;
  const memory = new Memory();
  let index = from;
  for (; index < from + inputs && failure === undefined; index += 1) {
    const { record, limits } = inputOf(seed, index);
    const judgement = judge(record, limits, decode);
    verdicts[judgement.verdict] = (verdicts[judgement.verdict] ?? 0) + 1;
    // What is slow once may have met the garbage collector or another process.
    const ms = judgement.ms > MAX_STALL ? Math.min(judgement.ms, judge(record, limits, decode).ms) : judgement.ms;
    if (ms > longest.ms) longest = { ms, index };
    const problem = judgement.failure ?? (ms > MAX_STALL ? `it took ${Math.round(ms)} ms` : undefined);
    if (problem !== undefined) failure = described(seed, index, problem, record, limits, decode);
    if (index % 1_000 === 0) await turn();
    if ((index - from) % MEASURED_EVERY === 0) memory.measure(index - from <= Math.max(20_000, inputs / 5));
  }
  failure ??= memory.problem;
  return {
    inputs: index - from,
    verdicts,
    longest,
    growth: memory.growth,
    live: memory.live,
    ...(failure === undefined ? {} : { failure }),
  };
}

function described(
  seed: number,
  index: number,
  problem: string,
  record: HostileRecord,
  limits: Limits,
  decode: Decode,
): string {
  const kind = (text: string | undefined) => text?.replace(/[\d"].*/s, '');
  const smallest = minimised(record, (candidate) => kind(judge(candidate, limits, decode).failure) === kind(problem));
  return [
    `input ${index} of seed ${seed}: ${problem}`,
    `  again:    npm run fuzz -- --only decoder --seed ${seed} --from ${index} --inputs 1`,
    `  record:   ${shownRecord(record)}`,
    `  smallest: ${shownRecord(smallest)} (at most ${limits.maxRecordBytes} bytes)`,
  ].join('\n');
}
