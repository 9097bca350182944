/** What must be so: at any moment, and when all faults are over. The judge is the independent model. */
import assert from 'node:assert/strict';
import { decodeMetadata } from '../../src/bridge/checkpoint.ts';
import { bridgeGroupOf } from '../../src/bridge/group.ts';
import { QUERIES } from '../../workflows/messages.ts';
import type { UserStateView } from '../../workflows/views.ts';
import { DEFAULT_SETTINGS, model, type ModelResult, type RawRecord } from '../../src/model/model.ts';
import type { Scenario } from './scenario.ts';
import { beyondBounds, forgottenBy } from './state-bounds.ts';
import { APP, INPUT_TOPICS, TOPICS, type SimSystem } from './system.ts';
import { replay } from './temporal/replay.ts';
import { WorkflowInstance } from './temporal/workflow-instance.ts';

export function expectedOf(records: readonly RawRecord[], { settings }: Scenario, countryOf: (sessionId: string) => string | null | undefined): ModelResult {
  const { outOfOrderness, limits, rules } = settings;
  return model({
    records,
    settings: { ...DEFAULT_SETTINGS, outOfOrderness, ...limits, sessionTtl: rules.sessionTtl, dedupTtl: rules.dedupTtl, pendingTimeout: rules.pendingTimeout, pendingAtEnd: 'lookup', bounds: rules.bounds! },
    sessionService: countryOf,
  });
}

/** Nothing is committed that is not durable: behind every committed offset Temporal has all that a workflow needs. */
export class Durability {
  readonly #system: SimSystem;
  /** Places (`topic/partition/offset`) of the records that some workflow has to get. */
  readonly #applicable: ReadonlySet<string>;
  readonly #checked = new Map<string, number>();

  constructor(system: SimSystem, applicable: ReadonlySet<string>) {
    this.#system = system;
    this.#applicable = applicable;
  }

  check(): void {
    for (const { topic, partition, offset, metadata } of this.#system.kafka.groupOffsets(bridgeGroupOf(APP))) {
      if (offset === null) continue;
      assert.notEqual(decodeMetadata(metadata), undefined, `the metadata of ${topic}-${partition} is not ours: ${metadata}`);
      const key = `${topic}/${partition}`;
      const from = this.#checked.get(key) ?? 0;
      assert.ok(offset >= from, `the committed offset of ${key} went back from ${from} to ${offset}`);
      for (let at = from; at < offset; at += 1) {
        const place = `${key}/${at}`;
        if (this.#applicable.has(place)) assert.ok(this.#system.durable.has(place), `${place} is behind the committed offset ${offset}, and no workflow has it`);
      }
      this.#checked.set(key, offset);
    }
  }
}

/** Empty when the outputs and the dead letters are those of the model, once each. */
export function differences(system: SimSystem, expected: ModelResult, scenario: Scenario): string[] {
  const found: string[] = [];
  const want = new Map(expected.outputs.map((output) => [`${output.partition}/${output.offset}`, output]));
  const got = new Set<string>();
  for (const { shard, offset, key, value, headers } of system.outputs) {
    const place = `${headers['source-partition']}/${headers['source-offset']}`;
    const where = `money/${place} at ${TOPICS.output}-${shard}@${offset}`;
    if (got.has(place)) found.push(`twice: ${where}`);
    got.add(place);
    const output = want.get(place);
    if (output === undefined) found.push(`unexpected: ${where} ${value}`);
    else if (String(value) !== output.value || String(key) !== output.key) found.push(`different: ${where}\n    got  ${value}\n    want ${output.value} (${output.path})`);
    else if ((headers['enrichment'] === 'incomplete') !== output.incomplete) found.push(`header "enrichment" is wrong: ${where}`);
  }
  for (const [place, { path, value }] of want) if (!got.has(place)) found.push(`missing: money/${place} (${path}) ${value}`);
  const line = (topic: unknown, partition: unknown, offset: unknown, reason: unknown): string => `dead letter ${topic}/${partition}/${offset} ${reason}`;
  const dead: string[] = [];
  for (let partition = 0; partition < scenario.partitions; partition += 1) {
    for (const { headers: h } of system.kafka.committed(TOPICS.deadLetter, partition)) {
      dead.push(line(h['source-topic'], h['source-partition'], h['source-offset'], h['reason']));
    }
  }
  const wanted = new Set(expected.deadLetters.map(({ topic, partition, offset, reason }) => line(topic, partition, offset, reason)));
  const seen = new Set<string>();
  for (const one of dead) {
    if (seen.has(one)) found.push(`twice: ${one}`);
    seen.add(one);
    if (!wanted.has(one)) found.push(`unexpected: ${one}`);
  }
  for (const one of wanted) if (!seen.has(one)) found.push(`missing: ${one}`);
  return found;
}

/** Everything was read, signalled and committed, and no workflow has anything left to do. Empty when it is so. */
export function unfinished(system: SimSystem, { partitions }: Scenario): string[] {
  const found: string[] = [];
  const committed = new Map(system.kafka.groupOffsets(bridgeGroupOf(APP)).map(({ topic, partition, offset }) => [`${topic}/${partition}`, offset]));
  for (const topic of INPUT_TOPICS) {
    for (let partition = 0; partition < partitions; partition += 1) {
      const end = (system.kafka.committed(topic, partition).at(-1)?.offset ?? -1) + 1;
      const offset = committed.get(`${topic}/${partition}`) ?? 0;
      if (offset < end) found.push(`${topic}-${partition}: committed ${offset} of ${end}`);
    }
  }
  for (const { workflowId, task, activities } of system.temporal.runs.values()) {
    if (task !== undefined) found.push(`${workflowId}: a workflow task, attempt ${task.attempt}`);
    for (const { name, attempt } of activities.values()) found.push(`${workflowId}: activity ${name}, attempt ${attempt}`);
  }
  return found;
}

/** The state of every user, from its history alone. Empty when all of it is within its bounds. */
export async function stateOutOfBounds(system: SimSystem, expected: ModelResult, { settings: { rules } }: Scenario): Promise<string[]> {
  const found: string[] = [];
  for (const run of system.temporal.runs.values()) {
    const instance = new WorkflowInstance(run, () => undefined);
    const different = await replay(instance, settle);
    if (different !== undefined) found.push(different);
    const query = instance.queries.get(QUERIES.state);
    if (query === undefined) continue; // nothing of the new run was executed yet
    const view = query() as UserStateView;
    const { userId, sizes } = view;
    system.counts.madeRoom += forgottenBy(view);
    found.push(...beyondBounds(view, rules.bounds!));
    const mine = expected.outputs.filter(({ userId: id }) => id === userId).length;
    if (sizes.pendingMoney > 0 || sizes.lookups > 0) found.push(`${userId}: ${sizes.pendingMoney} money pending and ${sizes.lookups} lookups when nothing is left to come`);
    if (sizes.dedupEntries > mine) found.push(`${userId}: remembers ${sizes.dedupEntries} ids for ${mine} outputs`);
  }
  return found;
}

/** Nothing here takes time: promises settle before the next macrotask. */
async function settle(run: () => void): Promise<void> {
  run();
  await new Promise((resolve) => setImmediate(resolve));
}
