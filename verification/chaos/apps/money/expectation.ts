/** What the independent model says of money. An output stands for the money record that it is of. */
import { DEFAULT_SETTINGS, model } from '../../../../src/money/model/model.ts';
import type { LogRecord, ModelResult, Topic } from '../../../../src/money/model/model.ts';
import type { JavaRecord } from '../../reader.ts';
import type { Expectation } from '../app.ts';
import type { Countries } from './traffic.ts';

type InputTopics = Readonly<Record<Topic, string>>;

export function modelled(
  inputs: readonly JavaRecord[],
  topics: InputTopics,
  countries: Countries | ((sessionId: string) => undefined),
): ModelResult {
  const inputOf = new Map(Object.entries(topics).map(([topic, name]) => [name, topic as Topic]));
  const records = inputs.flatMap((record): LogRecord[] => {
    const topic = inputOf.get(record.topic);
    return topic === undefined ? [] : [{ ...record, topic }];
  });
  return model({ records, settings: { ...DEFAULT_SETTINGS, pendingAtEnd: 'leave' }, sessionService: countries });
}

/** Of an output that was looked up both are right, the answer and giving up; which one it is, it says itself. */
export function eitherOf(answered: ModelResult, givenUp: ModelResult, outputs: readonly JavaRecord[]): ModelResult {
  const without = new Map(givenUp.outputs.map((output) => [`${output.partition}/${output.offset}`, output]));
  const incomplete = new Set(
    outputs
      .filter(({ headers }) => headers['enrichment'] === 'incomplete')
      .map(({ headers }) => `${headers['source-partition']}/${headers['source-offset']}`),
  );
  return {
    ...answered,
    outputs: answered.outputs.map((output) => {
      const place = `${output.partition}/${output.offset}`;
      return incomplete.has(place) && output.path === 'lookup' ? (without.get(place) ?? output) : output;
    }),
  };
}

export function expectationOf(
  { outputs, deadLetters, duplicates, stillPending }: ModelResult,
  topics: InputTopics,
): Expectation {
  const givenUp = outputs.filter(({ incomplete }) => incomplete).length;
  return {
    outputs: outputs.map(({ partition, offset, key, value, incomplete }) => ({
      place: `money ${partition}/${offset}`,
      content: `key ${key} ${value}${incomplete ? ' (incomplete)' : ''}`,
    })),
    itemOf({ key, value, headers }) {
      const mark = headers['enrichment'] === undefined ? '' : ` (${headers['enrichment']})`;
      return {
        place: `money ${headers['source-partition']}/${headers['source-offset']}`,
        content: `key ${String(key)} ${String(value)}${mark}`,
      };
    },
    // What needed no waiting.
    isInOrder: ({ headers }) => headers['stream'] === 'applied',
    deadLetters: deadLetters.map(({ topic, ...place }) => ({ ...place, topic: topics[topic] })),
    facts: [
      `duplicates in the input: ${duplicates.length}; lookups: ${outputs.filter(({ path }) => path === 'lookup').length}, given up ${givenUp}; outputs that waited: ${outputs.filter(({ waited }) => waited).length}; still waiting: ${stillPending.length}`,
    ],
  };
}
