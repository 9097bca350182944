/** What must be so: at any moment, and when all faults are over. The judge is the independent model. */
import assert from 'node:assert/strict';
import { decodeMetadata } from '../../src/engine/ordering/checkpoint.ts';
import { bridgeGroupOf } from '../../src/engine/naming.ts';
import { shardOf } from '../../src/money/codec/shard.ts';
import type { MoneyInput } from '../../src/money/domain/events.ts';
import { QUERIES } from '../../workflows/messages.ts';
import type { UserStateView } from '../../workflows/views.ts';
import { DEFAULT_SETTINGS, model, type ModelResult, type LogRecord } from '../../src/money/model/model.ts';
import type { Operator } from './operator.ts';
import type { Scenario } from './scenario.ts';
import { userProgram } from './user-program.ts';
import type { Log } from './logged.ts';
import { judgeUser, type Came, type Judging, type Meddled } from './meddled.ts';
import { beyondBounds, forgottenBy } from './state-bounds.ts';
import { APP, INPUT_TOPICS, TOPICS, turnOf, type SimSystem } from './system.ts';
import { replay } from './temporal/replay.ts';
import type { Scope, Touched } from './touched.ts';
import { WorkflowInstance } from './temporal/workflow-instance.ts';

export function expectedOf(
  records: readonly LogRecord[],
  { settings }: Scenario,
  countryOf: (sessionId: string) => string | null | undefined,
): ModelResult {
  const { outOfOrderness, limits, rules } = settings;
  return model({
    records,
    settings: {
      ...DEFAULT_SETTINGS,
      outOfOrderness,
      ...limits,
      sessionTtl: rules.sessionTtl,
      dedupTtl: rules.dedupTtl,
      pendingTimeout: rules.pendingTimeout,
      pendingAtEnd: 'lookup',
      bounds: rules.bounds!,
    },
    sessionService: countryOf,
  });
}

/** Nothing is committed that is not durable: behind every committed offset Temporal has all that a workflow needs. */
export class Durability {
  readonly #system: SimSystem;
  readonly #log: Log;
  readonly #checked = new Map<string, number>();

  constructor(system: SimSystem, log: Log) {
    this.#system = system;
    this.#log = log;
  }

  check(): void {
    for (const { topic, partition, offset, metadata } of this.#system.kafka.groupOffsets(bridgeGroupOf(APP))) {
      if (offset === null) continue;
      const input = topic as MoneyInput;
      const logs = decodeMetadata(metadata)?.logs;
      assert.ok(logs !== undefined, `the metadata of ${topic}-${partition} is not ours: ${metadata}`);
      const turn = turnOf(input, logs.names[INPUT_TOPICS.indexOf(input)]!);
      const key = `${topic}/${partition}/${turn}`;
      const from = this.#checked.get(key) ?? 0;
      assert.ok(offset >= from, `the committed offset of ${key} went back from ${from} to ${offset}`);
      for (let at = from; at < offset; at += 1) {
        const place = this.#log.place(input, partition, at, turn);
        if (this.#log.applicable.has(place) && !this.#log.gone.has(place)) {
          assert.ok(
            this.#system.durable.has(place),
            `${place} is behind the committed offset ${offset}, and no workflow has it`,
          );
        }
      }
      this.#checked.set(key, offset);
    }
  }
}

export interface Case extends Judging {
  readonly scenario: Scenario;
  readonly meddled: Meddled;
  readonly operator: Pick<Operator, 'accepted'>;
  readonly touched: Touched;
}

/** ms of undisturbed time in which a bridge says that a log is another one. */
const NOTICED_WITHIN = 30_000;

/** ms of undisturbed time in which a lookup is answered, whatever its place in the backoff of its call. */
const LOOKED_UP_WITHIN = 15_000;
const SESSION_INFO = /,"sessionInfo":\{"clientCountryCode":"[^"]*"\}/;

/** Empty when the outputs and the dead letters are those of the model, once each, and what people did is judged as it is promised. */
export function differences(given: Case, expected: ModelResult): string[] {
  const { log, meddled } = given;
  const found: string[] = [];
  const came = outputsOf(given, found);
  const isMeddled = (userId: string): boolean => meddled.of(userId) !== undefined;
  const want = new Map(
    expected.outputs
      .filter(({ userId }) => !isMeddled(userId))
      .map((output) => [`money/${output.partition}/${output.offset}`, output]),
  );
  const got = new Set<string>();
  for (const one of came) {
    const { place, output: out } = one;
    const { value, key, headers } = out;
    if (isMeddled(log.usable(place)!.userId)) continue;
    if (got.has(place)) found.push(`twice: ${place}`);
    got.add(place);
    const output = want.get(place);
    if (output !== undefined && wasGivenUp(given, one, output)) continue;
    if (output === undefined) found.push(`unexpected: ${place} ${value}`);
    else if (String(value) !== output.value || String(key) !== output.key) {
      found.push(`different: ${place}\n    got  ${value}\n    want ${output.value} (${output.path})`);
    } else if ((headers['enrichment'] === 'incomplete') !== output.incomplete) {
      found.push(`header "enrichment" is wrong: ${place}`);
    }
  }
  for (const [place, { path, value }] of want) if (!got.has(place)) found.push(`missing: ${place} (${path}) ${value}`);
  for (const [userId, meddling] of meddled.users) {
    const mine = came.filter(({ place }) => log.usable(place)!.userId === userId);
    found.push(
      ...judgeUser(
        userId,
        meddling,
        mine,
        expected.outputs.filter((output) => output.userId === userId),
        given,
      ),
    );
  }
  return [...found, ...deadLetterDifferences(given, expected), ...swallowed(given)];
}

/** The session service knows the session, and faults left no time to ask it before the lookup was given up. */
function wasGivenUp(
  { touched, log, scenario }: Case,
  { place, output: { value, key, headers, seenAt } }: Came,
  want: ModelResult['outputs'][number],
): boolean {
  if (headers['enrichment'] !== 'incomplete' || want.incomplete || String(key) !== want.key) return false;
  const scopes: Scope[] = [
    ...(['everything', 'lookups'] as const),
    `partition ${want.partition}`,
    `shard ${shardOf(want.userId, scenario.shards)}`,
    `user ${want.userId}`,
  ];
  return (
    String(value) === want.value.replace(SESSION_INFO, '') &&
    touched.untouched(log.arrivedAt(place), seenAt, scopes) < LOOKED_UP_WITHIN
  );
}

function outputsOf({ system, log }: Judging, found: string[]): Came[] {
  return system.outputs.flatMap((output) => {
    const place = log.moneyOf(output);
    if (place !== undefined && log.usable(place) !== undefined) return [{ place, output }];
    const { shard, offset, headers } = output;
    found.push(
      `of no money: the output at ${TOPICS.output}-${shard}@${offset}, which names ${headers['source-partition']}/${headers['source-offset']}`,
    );
    return [];
  });
}

function deadLetterDifferences({ system, log, scenario }: Case, expected: ModelResult): string[] {
  const found: string[] = [];
  const line = (topic: unknown, partition: unknown, offset: unknown, reason: unknown): string =>
    `dead letter ${topic}/${partition}/${offset} ${reason}`;
  const dead: string[] = [];
  for (let partition = 0; partition < scenario.partitions; partition += 1) {
    for (const { key, value, headers: h } of system.kafka.committed(TOPICS.deadLetter, partition)) {
      const [topic = '', number, at] = [h['source-topic'], Number(h['source-partition']), Number(h['source-offset'])];
      const isIt = (one: LogRecord): boolean =>
        String(one.value) === String(value) &&
        String(one.key) === String(key) &&
        String(one.timestamp) === h['source-timestamp'];
      // Two logs may have the same record at the same offset: one letter is of each.
      const isNew = (one: LogRecord): boolean =>
        isIt(one) && !dead.includes(line(topic, number, one.offset, h['reason']));
      const record = log.recordAt(topic, number, at, isNew) ?? log.recordAt(topic, number, at, isIt);
      dead.push(line(topic, number, record?.offset ?? at, h['reason']));
    }
  }
  const wanted = new Set(
    expected.deadLetters.map(({ topic, partition, offset, reason }) => line(topic, partition, offset, reason)),
  );
  const wentUnread = (text: string): boolean => log.gone.has(text.split(' ')[2]!);
  const seen = new Set<string>();
  for (const one of dead) {
    if (seen.has(one)) found.push(`twice: ${one}`);
    seen.add(one);
    if (!wanted.has(one) && !wentUnread(one)) found.push(`unexpected: ${one}`);
  }
  for (const one of wanted) if (!seen.has(one)) found.push(`missing: ${one}`);
  return found;
}

/** What went from a log before any workflow had it, without a word: the log was not said to be another, and the offsets were not said to be lost. */
function swallowed({ system, log, operator, touched }: Case): string[] {
  // The command names every partition that it accepts, also one that no bridge could look at before: it was disturbed, or
  // somebody decided about another one within the time of a look.
  const saidByCommand = (topic: string, partition: number): boolean => {
    const accepted = operator.accepted.get(`${topic}/${partition}`);
    if (accepted === undefined) return false;
    const { from, to } = accepted;
    return touched.untouched(from, to, [`partition ${partition}`]) < NOTICED_WITHIN;
  };
  return [...log.gone].flatMap((place) => {
    if (!log.applicable.has(place) || system.durable.has(place)) return [];
    const [topic = '', number, at] = place.split('/');
    const partition = Number(number);
    // Of all three nothing is left that could tell what was read.
    if (INPUT_TOPICS.every((one) => log.turn(one, partition) > 0)) return [];
    const waited =
      log.turn(topic, partition) > 0 &&
      system.said.lines.some(
        (said) =>
          said.reason === 'log' && said.partition === partition && said.msg.includes(topic) && /offset/.test(said.msg),
      );
    return waited || saidByCommand(topic, partition) || system.said.saidLost(topic, partition, Number(at))
      ? []
      : [`swallowed: ${place} went from its log unread, and nobody said so`];
  });
}

/** Everything was read, signalled and committed, and no workflow has anything left to do. Empty when it is so. */
export function unfinished(system: SimSystem, { partitions }: Scenario, log: Log): string[] {
  const found: string[] = [];
  const committed = new Map(
    system.kafka.groupOffsets(bridgeGroupOf(APP)).map((one) => [`${one.topic}/${one.partition}`, one]),
  );
  for (const [index, topic] of INPUT_TOPICS.entries()) {
    for (let partition = 0; partition < partitions; partition += 1) {
      const end = (system.kafka.committed(topic, partition).at(-1)?.offset ?? -1) + 1;
      const { offset = null, metadata = '' } = committed.get(`${topic}/${partition}`) ?? {};
      const name = decodeMetadata(metadata)?.logs?.names[index];
      if ((offset ?? 0) < end) found.push(`${topic}-${partition}: committed ${offset} of ${end}`);
      else if (name !== undefined && turnOf(topic, name) !== log.turn(topic, partition)) {
        found.push(`${topic}-${partition}: what is committed is of another log`);
      }
    }
  }
  for (const { workflowId, task, activities } of system.temporal.runs.values()) {
    if (task !== undefined) found.push(`${workflowId}: a workflow task, attempt ${task.attempt}`);
    for (const { name, attempt } of activities.values()) {
      found.push(`${workflowId}: activity ${name}, attempt ${attempt}`);
    }
  }
  return found;
}

/** The state of every user, from its history alone. Empty when all of it is within its bounds. */
export async function stateOutOfBounds(
  system: SimSystem,
  expected: ModelResult,
  { settings: { rules } }: Scenario,
): Promise<string[]> {
  const found: string[] = [];
  for (const run of system.temporal.runs.values()) {
    const instance = new WorkflowInstance(userProgram, run, () => undefined);
    const { different } = await replay(instance, settle);
    if (different !== undefined) found.push(different);
    const query = instance.queries.get(QUERIES.state);
    if (query === undefined) continue; // nothing of the new run was executed yet
    const view = query() as UserStateView;
    const { userId, sizes } = view;
    system.counts.madeRoom += forgottenBy(view);
    found.push(...beyondBounds(view, rules.bounds!));
    const mine = expected.outputs.filter(({ userId: id }) => id === userId).length;
    if (sizes.pendingMoney > 0 || sizes.lookups > 0) {
      found.push(
        `${userId}: ${sizes.pendingMoney} money pending and ${sizes.lookups} lookups when nothing is left to come`,
      );
    }
    if (sizes.dedupEntries > mine) found.push(`${userId}: remembers ${sizes.dedupEntries} ids for ${mine} outputs`);
  }
  return found;
}

/** Nothing here takes time: promises settle before the next macrotask. */
async function settle(run: () => void): Promise<void> {
  run();
  await new Promise((resolve) => setImmediate(resolve));
}
