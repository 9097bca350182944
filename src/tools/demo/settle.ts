/**
 * Waits for the end of the work: everything the model expects is there, the bridge has read and committed everything,
 * no workflow has anything in flight, and the output topics were read to their ends. What is there then is all there
 * will be, so that something too much is found as well as something missing.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { ModelResult } from '../../money/model/model.ts';
import { bridgeGroupOf } from '../../engine/naming.ts';
import type { Config } from '../../money/config.ts';
import { messageOf } from '../../engine/errors.ts';
import type { KafkaPort, TopicPartition } from '../../engine/kafka/port.ts';
import type { Tail } from '../../engine/kafka/kafkajs/tail.ts';
import type { StateSampler } from './figures.ts';
import type { Screen } from './screen.ts';
import type { DemoValues } from './values.ts';
import { expectationOf } from './verdict.ts';
import type { Evidence, StoryTopics } from './verdict.ts';

export interface SettleOptions {
  readonly kafka: KafkaPort;
  readonly tail: Tail;
  readonly config: Config;
  readonly inputTopics: StoryTopics;
  /** Records written to the inputs. */
  readonly written: number;
  readonly partitions: number;
  readonly sampler: StateSampler;
  readonly screen: Screen;
  /** What values say in JSON. */
  readonly values: DemoValues;
  readonly signal: AbortSignal;
}

/** ms without any progress after which it is judged as it is */
const PATIENCE = 60_000;
const POLL = 200;

/** Errors: the signal's reason. */
export async function settle(options: SettleOptions): Promise<Evidence & { readonly expected: ModelResult }> {
  const { kafka, tail, config, inputTopics, written, partitions, sampler, screen, values } = options;
  const { topics, appId } = config;
  const of = (...names: readonly string[]) => tail.records.filter(({ topic }) => names.includes(topic));
  const inputNames = Object.values(inputTopics);
  const seen = (): number => tail.records.length;

  screen.log('All is sent. Waiting for the last of it to come out ...');
  await waitFor('reading the inputs back', () => of(...inputNames).length >= written, seen, options);
  const said = of(...inputNames).map((record) => ({ ...record, value: values.jsonOfInput(record.value) }));
  const expected = expectationOf(said, inputTopics);
  const wanted = expected.outputs.length + expected.deadLetters.length;
  await waitFor(
    `${wanted} outputs and dead letters`,
    () =>
      of(topics.output).length >= expected.outputs.length &&
      of(topics.deadLetter).length >= expected.deadLetters.length,
    seen,
    options,
  );

  screen.log('As much is there as has to be. Waiting for whatever might still come ...');
  const inputs = inputNames.flatMap((topic) => numbers(partitions).map((partition) => ({ topic, partition })));
  let committed = 0;
  const lag = async (): Promise<number> => {
    const [offsets, ends] = await Promise.all([
      kafka.committedOffsets(bridgeGroupOf(appId), inputs),
      kafka.endOffsets(inputs),
    ]);
    committed = offsets.reduce((sum, { offset }) => sum + (offset ?? 0), 0);
    return ends.reduce((sum, { end }) => sum + end, 0) - committed;
  };
  await waitFor(
    'the bridge to have committed everything',
    async () => (await lag()) === 0,
    () => committed,
    options,
  );
  await waitFor(
    'the workflows to be at rest',
    () => atRest(sampler, screen),
    () => sampler.sum(({ counters }) => counters.published),
    options,
  );
  const outputs = await endsOf(kafka, [topics.output, topics.deadLetter]);
  await waitFor(
    'reading the outputs to their ends',
    () => outputs.every(({ topic, partition, end }) => tail.position(topic, partition) >= end),
    seen,
    options,
  );
  return {
    topics: inputTopics,
    inputs: said,
    written: of(...inputNames),
    outputs: of(topics.output).map((record) => ({ ...record, value: values.jsonOfOutput(record.value) })),
    deadLetters: of(topics.deadLetter),
    expected,
  };
}

async function atRest(sampler: StateSampler, screen: Screen): Promise<boolean> {
  try {
    await sampler.all();
  } catch (error) {
    const why = error instanceof Error && error.cause !== undefined ? `: ${messageOf(error.cause)}` : '';
    screen.log(`A workflow does not answer yet: ${messageOf(error)}${why}`);
    return false;
  }
  return sampler.sum(({ counters, sizes }) => counters.unpublished + sizes.lookups) === 0;
}

async function endsOf(
  kafka: KafkaPort,
  topics: readonly string[],
): Promise<readonly (TopicPartition & { readonly end: number })[]> {
  const counts = await kafka.partitionCounts(topics);
  return kafka.endOffsets(
    topics.flatMap((topic, index) => numbers(counts[index] ?? 0).map((partition) => ({ topic, partition }))),
  );
}

function numbers(count: number): number[] {
  return [...Array(count).keys()];
}

/** Until `check` holds, or `progress` has not changed for too long: the verdict will say what is missing then. */
async function waitFor(
  what: string,
  check: () => boolean | Promise<boolean>,
  progress: () => number,
  { screen, signal }: SettleOptions,
): Promise<void> {
  let last = progress();
  let since = performance.now();
  while (!(await check())) {
    const now = progress();
    if (now !== last) [last, since] = [now, performance.now()];
    if (performance.now() - since > PATIENCE) {
      screen.log(
        `Nothing has changed for ${PATIENCE / 1_000} s while waiting for this: ${what}. It is judged as it is.`,
      );
      return;
    }
    await pause(POLL, undefined, { signal });
  }
}
