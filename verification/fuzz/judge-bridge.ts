/** What must hold of a run of the bridge: everything that the independent model says, and nothing else. */
import { encodeEnriched } from '../../src/money/codec/enriched.ts';
import { advance, applyBatch, resolveLookup, type Answer } from '../../src/money/domain/apply.ts';
import { inputOf, type Output } from '../../src/money/domain/events.ts';
import { initialState, type UserState } from '../../src/money/domain/state.ts';
import { decode } from '../../src/money/model/decode.ts';
import { DEFAULT_SETTINGS, model, type ModelSettings, type LogRecord } from '../../src/money/model/model.ts';
import { readTriple } from '../../src/money/model/reading.ts';
import { LIMITS, PARTITIONS, SETTINGS, type BridgeRun, type Placed } from './bridge-run.ts';

const MODEL: ModelSettings = {
  ...DEFAULT_SETTINGS,
  outOfOrderness: SETTINGS.outOfOrderness,
  ...LIMITS,
  pendingAtEnd: 'leave',
};

/** Found, not found or unavailable, by the session id alone. */
function sessionService(sessionId: string): string | null | undefined {
  const choice = Number.parseInt(sessionId.slice(-1), 16) % 4;
  return choice === 0 ? null : choice === 1 ? undefined : `S${choice}`;
}

function answerOf(sessionId: string): Answer {
  const country = sessionService(sessionId);
  if (country === null) return { status: 'not-found' };
  return country === undefined ? { status: 'given-up' } : { status: 'found', clientCountryCode: country };
}

/** Undefined when all holds. */
export function judgeRun(placed: readonly Placed[], run: BridgeRun): string | undefined {
  const records = logged(placed);
  return (
    run.problem ??
    offsetsProblem(run) ??
    deadLettersProblem(records, run) ??
    applicationsProblem(records, run) ??
    outputsProblem(records, run)
  );
}

function logged(placed: readonly Placed[]): LogRecord[] {
  const next = new Map<string, number>();
  return placed.map(({ input: topic, partition, key, value, timestamp }) => {
    const offset = next.get(`${topic}/${partition}`) ?? 0;
    next.set(`${topic}/${partition}`, offset + 1);
    return { topic, partition, offset, timestamp, key, value };
  });
}

function offsetsProblem({ offsets }: BridgeRun): string | undefined {
  const behind = offsets.find(({ committed, end }) => committed !== end);
  return behind === undefined ? undefined : `committed to ${JSON.stringify(behind)}`;
}

function deadLettersProblem(records: readonly LogRecord[], run: BridgeRun): string | undefined {
  const verdicts = records.map((record) => ({ ...record, verdict: decode(record, MODEL) }));
  const unusable = verdicts.filter(({ verdict }) => typeof verdict === 'string');
  const bytes = (data: Buffer | null) => data?.toString('base64') ?? 'null';
  const want = unusable.map(
    ({ topic, partition, offset, timestamp, key, value, verdict }) =>
      `${topic}/${partition}/${offset} ${String(verdict)} at ${timestamp} ${bytes(key)} ${bytes(value)}`,
  );
  const got = run.deadLetters.map(
    ({ headers: h, key, value }) =>
      `${h['source-topic']}/${h['source-partition']}/${h['source-offset']} ${h['reason']} at ${h['source-timestamp']} ${bytes(key)} ${bytes(value)}`,
  );
  return difference('dead letters', want, got);
}

/** Every record was applied once, in order, on time or late by the very watermark: no hostile record has moved it. */
function applicationsProblem(records: readonly LogRecord[], { delivered, watermarks }: BridgeRun): string | undefined {
  const want: string[] = [];
  for (let partition = 0; partition < PARTITIONS; partition += 1) {
    const of = (topic: LogRecord['topic']) =>
      records.filter((record) => record.topic === topic && record.partition === partition);
    const { applications, watermark } = readTriple(
      { user: of('user'), session: of('session'), money: of('money') },
      SETTINGS.outOfOrderness,
      (record) => decode(record, MODEL),
    );
    const places = new Map<string, number>();
    for (const { record, late, tau } of applications) {
      if (record.content.is === 'time') continue;
      const place = places.get(record.userId) ?? 0;
      places.set(record.userId, place + 1);
      want.push(`${partition} ${record.userId} ${place}: ${record.topic} ${record.offset} ${late ? tau : 'on time'}`);
    }
    if (watermarks[partition] !== watermark) {
      return `the watermark of partition ${partition} is ${watermarks[partition]}, expected ${watermark}`;
    }
  }
  const seen = new Set<string>();
  const places = new Map<string, number>();
  const got: string[] = [];
  for (const { userId, batch } of delivered) {
    for (const { offset, late, event } of batch.records) {
      const place = `${inputOf(event)} ${offset}`;
      const user = `${batch.partition} ${userId}`;
      if (seen.has(`${user} ${place}`)) continue;
      seen.add(`${user} ${place}`);
      got.push(`${user} ${places.get(user) ?? 0}: ${place} ${late ?? 'on time'}`);
      places.set(user, (places.get(user) ?? 0) + 1);
    }
  }
  return difference('applications', want, got);
}

function outputsProblem(records: readonly LogRecord[], { delivered, watermarks }: BridgeRun): string | undefined {
  const expected = model({ records, settings: MODEL, sessionService });
  const users = new Map<string, { readonly userId: string; readonly partition: number; readonly state: UserState }>();
  const got: string[] = [];
  let duplicates = 0;
  const note = ({ partition, offset, enriched, incomplete }: Output) =>
    got.push(`${partition}/${offset} ${incomplete === true} ${encodeEnriched(enriched)}`);
  for (const { userId, batch } of delivered) {
    const { partition } = batch;
    const user = users.get(`${partition} ${userId}`) ?? { userId, partition, state: initialState() };
    users.set(`${partition} ${userId}`, user);
    const { applied, resolved } = applyBatch(user.state, batch, { userId, now: null });
    for (const output of [...applied, ...resolved]) note(output);
  }
  for (const { userId, partition, state } of users.values()) {
    advance(state, watermarks[partition]!, SETTINGS.rules, { userId, now: null });
    for (const lookup of [...state.lookups]) {
      note(resolveLookup(state, lookup, answerOf(lookup.money.userSessionId), { userId, now: null }));
    }
    duplicates += state.counters.duplicatesDropped;
  }
  if (duplicates !== expected.duplicates.length) {
    return `${duplicates} duplicates were dropped, expected ${expected.duplicates.length}`;
  }
  return difference(
    'outputs',
    expected.outputs.map(({ partition, offset, incomplete, value }) => `${partition}/${offset} ${incomplete} ${value}`),
    got,
  );
}

/** Each line of `want` once in `got`, and no other. */
function difference(what: string, want: readonly string[], got: readonly string[]): string | undefined {
  const [wanted, gotten] = [[...want].sort(), [...got].sort()];
  const at = wanted.findIndex((line, n) => line !== gotten[n]);
  if (at < 0 && wanted.length === gotten.length) return undefined;
  const place = at < 0 ? wanted.length : at;
  return `${what}: ${got.length}, expected ${want.length}; first difference: ${gotten[place]?.slice(0, 500)}, expected ${wanted[place]?.slice(0, 500)}`;
}
