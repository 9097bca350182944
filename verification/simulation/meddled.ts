/** What people did to single users, and what the product owes those then. Every other user is owed everything, exactly. */
import type { ModelOutput, ModelResult, LogRecord } from '../../src/money/model/model.ts';
import type { StoredRecord } from './kafka/sim-kafka.ts';
import type { Log } from './logged.ts';
import { workflowIdOf } from '../../src/engine/naming.ts';
import { APP, type SimSystem } from './system.ts';

/**
 * `reset`: to an earlier event. `terminated`: and started by the next signal. `split`: some of its records are in another partition
 * than its others.
 */
export type Meddling = 'reset' | 'terminated' | 'split';

export class Meddled {
  readonly #users = new Map<string, Meddling>();

  /** False when something else was done to this user before. */
  note(userId: string, meddling: Meddling): boolean {
    const known = this.#users.get(userId);
    if (known !== undefined && known !== meddling) return false;
    this.#users.set(userId, meddling);
    return true;
  }

  of(userId: string): Meddling | undefined {
    return this.#users.get(userId);
  }

  get users(): readonly (readonly [string, Meddling])[] {
    return [...this.#users];
  }

  get size(): number {
    return this.#users.size;
  }
}

/** An output that came out, with the place of its money. */
export interface Came {
  readonly place: string;
  /** `seenAt`: simulated time. */
  readonly output: StoredRecord & { readonly seenAt: number };
}

export interface Judging {
  readonly system: SimSystem;
  readonly log: Log;
  /** What would be owed for these records. */
  readonly expectedOf: (records: readonly LogRecord[]) => ModelResult;
}

export function judgeUser(
  userId: string,
  meddling: Meddling,
  came: readonly Came[],
  expected: readonly ModelOutput[],
  judging: Judging,
): string[] {
  switch (meddling) {
    case 'reset':
      return afterReset(userId, came, expected, judging);
    case 'terminated':
      return afterTermination(userId, came, judging);
    case 'split':
      return inTwoPartitions(userId, came, judging);
  }
}

/** All comes out; what waited may come out once more, and then it was noticed. */
function afterReset(
  userId: string,
  came: readonly Came[],
  expected: readonly ModelOutput[],
  { system }: Judging,
): string[] {
  const found = compared(came, expected);
  const twice = repeated(came);
  for (const { place, output } of twice) {
    if (output.headers['stream'] !== 'resolved') {
      found.push(`twice, after a reset, though it did not wait: ${place} of ${userId}`);
    }
  }
  if (twice.length > 0 && !system.said.hasNoticed(userId, 'reset')) {
    found.push(`nobody said that the workflow of ${userId} was reset`);
  }
  return found;
}

/** Each life puts out of what it was sent what it owes; only the last one has to come to its end, unless nothing was sent after the termination. */
function afterTermination(userId: string, came: readonly Came[], { system, log, expectedOf }: Judging): string[] {
  const found: string[] = [];
  const lives = system.lives.of(userId);
  const named = new Set<string>();
  const expectedOfLife = (places: ReadonlySet<string>): readonly ModelOutput[] => {
    const records = log.owed(system.durable).filter(({ topic, partition, offset }) => {
      const place = `${topic}/${partition}/${offset}`;
      return log.usable(place)?.userId !== userId || !log.applicable.has(place) || places.has(place);
    });
    return expectedOf(records).outputs.filter((output) => output.userId === userId);
  };
  for (const [index, { name, places, inNoOrder }] of lives.entries()) {
    const mine = came.filter(({ output }) => output.headers['incarnation'] === name);
    for (const { output } of mine) named.add(String(output.headers['incarnation']));
    const isLast = index === lives.length - 1 && system.temporal.chainOf(workflowIdOf(APP, userId)).length > 0;
    const compare = inNoOrder ? comparedInNoOrder(mine, places, log) : compared(mine, expectedOfLife(places));
    found.push(
      ...compare.filter((text) => isLast || !text.startsWith('missing')),
      ...repeated(mine).map(({ place }) => `twice in one life: ${place} of ${userId}`),
    );
  }
  for (const { output, place } of came) {
    if (!lives.some(({ name }) => name === output.headers['incarnation'])) {
      found.push(`of no life: ${place} of ${userId}`);
    }
  }
  if (named.size > 1 && !system.said.hasNoticed(userId, 'began-anew')) {
    found.push(`nobody said that the workflow of ${userId} began anew`);
  }
  return found;
}

/** Its order is nobody's promise; but all of its money comes out that was there to be read, each place once, and it is said. */
function inTwoPartitions(userId: string, came: readonly Came[], { system, log }: Judging): string[] {
  const found = repeated(came).map(({ place }) => `twice: ${place} of ${userId}`);
  const out = new Set(came.map(({ place }) => moneyIdOf(place, log)));
  const places = [...log.applicable].filter((place) => log.usable(place)!.userId === userId);
  const wentUnread = (place: string): boolean => log.gone.has(place) && !system.durable.has(place);
  for (const place of places) {
    const id = moneyIdOf(place, log);
    if (id !== undefined && !out.has(id) && !wentUnread(place)) {
      found.push(`missing: ${place} of ${userId}, who is in two partitions`);
    }
  }
  // Nobody has met what went from its log unread.
  const partitions = new Set(places.filter((place) => !wentUnread(place)).map((place) => place.split('/')[1]));
  if (
    partitions.size > 1 &&
    !system.said.hasCounted(workflowIdOf(APP, userId), { what: 'happened', kind: 'second-partition' })
  ) {
    found.push(`nobody said that ${userId} is in two partitions`);
  }
  return found;
}

/** What is missing, too much or not as it has to be; repetitions are no question here. */
function compared(came: readonly Came[], expected: readonly ModelOutput[]): string[] {
  const found: string[] = [];
  const want = new Map(expected.map((output) => [`money/${output.partition}/${output.offset}`, output]));
  const got = new Set<string>();
  for (const { place, output } of came) {
    got.add(place);
    const wanted = want.get(place);
    if (wanted === undefined) found.push(`unexpected: ${place} ${output.value}`);
    else if (String(output.value) !== wanted.value) {
      found.push(`different: ${place}\n    got  ${output.value}\n    want ${wanted.value}`);
    } else if ((output.headers['enrichment'] === 'incomplete') !== wanted.incomplete) {
      found.push(`header "enrichment" is wrong: ${place}`);
    }
  }
  for (const [place, { value }] of want) if (!got.has(place)) found.push(`missing: ${place} ${value}`);
  return found;
}

/**
 * The same of a life that was sent its records in no order. Which of several with one id is the first one applied, and by which
 * effective time, is a matter of that order: so what the others found (user info, first occurrence, whether a duplicate was still
 * known) is no question here. But nothing comes out that the life was not sent, and of each id something does.
 */
function comparedInNoOrder(came: readonly Came[], places: ReadonlySet<string>, log: Log): string[] {
  const found = came
    .filter(({ place }) => !places.has(place))
    .map(({ place, output }) => `unexpected: ${place} ${output.value}`);
  const out = new Set(came.map(({ place }) => moneyIdOf(place, log)));
  for (const place of places) {
    const id = moneyIdOf(place, log);
    if (id !== undefined && !out.has(id)) found.push(`missing: ${place}, and no other with its id came out`);
  }
  return found;
}

function moneyIdOf(place: string, log: Log): string | undefined {
  const content = log.usable(place)?.content;
  return content?.is === 'money' ? content.money.id : undefined;
}

/** Those that were there before. */
function repeated(came: readonly Came[]): Came[] {
  const seen = new Set<string>();
  return came.filter(({ place }) => seen.has(place) || (seen.add(place), false));
}
