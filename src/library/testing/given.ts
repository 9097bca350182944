/** Given an entity, when records come, it emits these outputs: whatever is cut, repeated, killed or away for long. */
import assert, { AssertionError } from 'node:assert';
import { messageOf } from '../../engine/errors.ts';
import { Random } from '../../engine/random.ts';
import { plainEntity, type PlainEntity } from '../../engine/workflow/entity/plain.ts';
import { runEntity } from '../../engine/workflow/entity/run-entity.ts';
import { Execution } from './execution.ts';
import { plainArrivals, singleArrivals, VARIATIONS, variedArrivals, type Given, type Variation } from './plan.ts';
import { effective, inOrder, withSecondCopies, type GivenRecord } from './records.ts';

export interface GivenOptions<Q, A> {
  /** Of the entity. `a-key` when absent. */
  readonly key?: string;
  /** As the option `rules` of the bridge. */
  readonly rules?: unknown;
  /** The answer to a question, a function of it alone; undefined: nobody answers, and it is given up. No question is answered when absent. */
  readonly answers?: (question: Q) => A | undefined;
}

/** Where all comes to rest after the last record. */
export interface Rest {
  /** Event time that all inputs reach, epoch ms. That of the last record when absent: what waits for a later time stays open. */
  readonly eventTime?: number;
  /** ms that the wall clock goes on when nothing but timers is left. 10,000 when absent. */
  readonly wallClock?: number;
}

export interface Checks {
  /** How many runs, the plain one included. 100 when absent. */
  readonly runs?: number;
  /** What the outputs may depend on: no run varies it. */
  readonly without?: readonly Variation[];
  /** The order of outputs does not count, as where each follows from an answer of its own. */
  readonly inAnyOrder?: boolean;
  /** The rules promise that a record which its producer wrote twice, under two offsets, counts once. */
  readonly writtenTwice?: boolean;
  /** This run alone, after the plain one: a failure names it. */
  readonly only?: number;
}

export interface When<R> {
  /**
   * Runs the entity in the engine's own workflow code, on a Temporal in memory with a virtual clock. First plainly: all records in one
   * signal, and nothing fails. Then it must have emitted `outputs`, compared as JSON in whatever order properties are. After that with
   * everything varied that may vary around an entity ({@link Variation}), in the same way whenever the test runs: it must emit the same bytes.
   *
   * Rejects with an AssertionError that says which run it was and what happened in it; also for an entity that throws, whose state is not
   * JSON, or that does something else when it is replayed.
   */
  emits(outputs: readonly R[], checks?: Checks): Promise<void>;
}

export interface GivenEntity<E, R> {
  /** In any order: they are applied as the bridge orders them, by event time, input and offset; a late one at `late`. */
  when(records: readonly GivenRecord<E>[], rest?: Rest): When<R>;
}

/** All records in one signal. */
const PLAIN = 0;
/** Every record comes alone, and all is lost after each. */
const ALONE = 1;
const RUNS = 100;
const WALL_CLOCK = 10_000;
/** Lines of what happened in a run that are shown. */
const STORY = 60;
/** Characters of a line that are shown. */
const LINE = 200;

/** The beginning of a test of an entity: `given(entity).when(records).emits(outputs)`. `rules` and `answers`: as the bridge and the world outside give them. */
export function given<S extends object, E, R extends object, Q = never, A = never>(
  entity: PlainEntity<S, E, R, Q, A>,
  { key = 'a-key', rules, answers = () => undefined }: GivenOptions<Q, A> = {},
): GivenEntity<E, R> {
  const whole = plainEntity(entity);

  /** JSON of what comes out of a run, in order, and what happened. */
  async function run(
    number: number,
    records: readonly GivenRecord<E>[],
    { eventTime = -Infinity, wallClock = WALL_CLOCK }: Rest,
    { without = [], writtenTwice = false, inAnyOrder = false }: Checks,
  ): Promise<{ readonly outputs: readonly string[]; readonly story: readonly string[] }> {
    const random = new Random(number);
    const varied = VARIATIONS.filter((one) => !without.includes(one) && (number === ALONE || random.chance(0.7)));
    const varies = (one: Variation): boolean => number !== PLAIN && varied.includes(one);
    const ordered = inOrder(writtenTwice && number !== PLAIN ? withSecondCopies(records, random) : records);
    const input: Given = { key, rules, records: ordered, until: Math.max(eventTime, ...ordered.map(effective)) };
    const execution = new Execution({
      key,
      begin: (port, argument) => runEntity(port, whole, argument),
      arrivals:
        number === PLAIN
          ? plainArrivals(input)
          : number === ALONE
            ? singleArrivals(input, varies)
            : variedArrivals(input, random, varies),
      answer: (question) => JSON.stringify(answers(question as Q)) as string | undefined,
      random,
      varies,
      losesAlways: number === ALONE && varies('crashes'),
      wallClock,
    });
    const { story } = execution;
    try {
      const outputs = await execution.run();
      return { outputs: inAnyOrder ? outputs.toSorted() : outputs, story };
    } catch (error) {
      throw new AssertionError({ message: failed(number, cut(messageOf(error)), story) });
    }
  }

  return {
    when: (records, rest = {}) => ({
      async emits(outputs, checks = {}) {
        const plain = await run(PLAIN, records, rest, checks);
        const order = checks.inAnyOrder === true ? inOneOrder : (all: readonly unknown[]) => all;
        assert.deepStrictEqual(
          order(plain.outputs.map(parsed)),
          order(outputs.map((output) => parsed(JSON.stringify(output)))),
        );
        for (const number of numbersOf(checks)) {
          const { outputs: others, story } = await run(number, records, rest, checks);
          if (others.join('\n') === plain.outputs.join('\n')) continue;
          throw new AssertionError({
            message: failed(
              number,
              `other outputs than of the same records in one signal:\n  ${others.map(cut).join('\n  ')}\nand not\n  ${plain.outputs.map(cut).join('\n  ')}`,
              story,
            ),
            actual: others.map(parsed),
            expected: plain.outputs.map(parsed),
            operator: 'deepStrictEqual',
          });
        }
      },
    }),
  };
}

function numbersOf({ runs = RUNS, only }: Checks): number[] {
  return only === undefined ? Array.from({ length: runs - 1 }, (_, index) => index + 1) : [only];
}

function failed(number: number, why: string, story: readonly string[]): string {
  const shown = story.slice(-STORY).map((line) => `  ${cut(line)}`);
  const again = number === PLAIN ? '' : `\nThis run alone: emits(outputs, { only: ${number} })`;
  return `run ${number}: ${why}\nWhat happened:\n${shown.join('\n')}${again}`;
}

function cut(line: string): string {
  return line.length <= LINE ? line : `${line.slice(0, LINE)}... (${line.length} characters)`;
}

const parsed = (text: string): unknown => JSON.parse(text);

/** The same order for the same values, whatever the order of their properties is. */
function inOneOrder(values: readonly unknown[]): unknown[] {
  const sortedProperties = (_: string, value: unknown): unknown =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value;
  return values
    .map((value) => ({ value, text: JSON.stringify(value, sortedProperties) }))
    .sort((a, b) => (a.text < b.text ? -1 : 1))
    .map(({ value }) => value);
}
