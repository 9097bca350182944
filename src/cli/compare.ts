/** `compare`: two output topics, record by record. */
import { Command } from 'commander';
import { compareTopics, type Comparison, type FoundDifference } from '../tools/compare/compare.ts';
import { markOf, placeOf } from '../tools/compare/digest.ts';
import { createKafka } from '../engine/kafka/kafkajs/create-kafka.ts';
import type { InRecord } from '../engine/kafka/port.ts';
import { wholeNumber } from './arguments.ts';
import { createContext, reachKafka } from './context.ts';
import { result } from './document.ts';
import { count, progress } from './output.ts';
import { printable } from '../engine/printable.ts';

interface CompareOptions {
  readonly limit: number;
}

const DIFFERENT = 1;

export function compareCommand(): Command {
  return new Command('compare')
    .description(
      'Compares two output topics up to where they end now, order free, as a read_committed reader sees them. Records are told apart ' +
        'by key and source coordinates where both topics have them; otherwise the topics have to hold the same keys, values and ' +
        'headers "enrichment" equally often. Exit code 0 when they are equal, 1 when they are not.',
    )
    .argument('<a>', 'a topic')
    .argument('<b>', 'the other one')
    .option('--limit <n>', 'print the first n differences, with the values', wholeNumber(0, 99_999), 20)
    .option('--json', 'one JSON document: counts, and the differences')
    .action(compare);
}

async function compare(a: string, b: string, options: CompareOptions): Promise<void> {
  const context = createContext({ requireKafka: true }, { quiet: true });
  const config = await reachKafka(context);
  const kafka = createKafka(config, context.logger);
  const reading = progress(`comparing ${a} and ${b}`);
  try {
    const comparison = await compareTopics(kafka, {
      appId: context.config.appId,
      a,
      b,
      shown: options.limit,
      onProgress: reading.update,
    });
    reading.end();
    result(jsonOf(comparison, a, b), () => linesOfAll(comparison, a, b));
    if (differing(comparison) > 0) process.exitCode = DIFFERENT;
  } finally {
    reading.end();
    await kafka.close();
  }
}

function differing({ changed, onlyInA, onlyInB, againInA, againInB }: Comparison): number {
  return changed + onlyInA + onlyInB + againInA + againInB;
}

function linesOfAll(comparison: Comparison, a: string, b: string): string[] {
  const { counts, changed, onlyInA, onlyInB, againInA, againInB, differences, by } = comparison;
  const all = differing(comparison);
  if (all === 0) {
    const how = by === 'place' ? '' : ', by key and value: not both have source coordinates';
    return [`equal: ${count(counts.a, 'record')} in each of ${a} and ${b}${how}`];
  }
  const lines = differences.flatMap((difference) => linesOf(difference, a, b));
  if (all > differences.length) lines.push(`... and ${count(all - differences.length, 'more difference')}`);
  const parts: [number, string][] = [
    [changed, 'different'],
    [onlyInA, `only in ${a}`],
    [onlyInB, `only in ${b}`],
    [againInA, `once more in ${a}`],
    [againInB, `once more in ${b}`],
  ];
  const found = parts
    .filter(([number]) => number > 0)
    .map(([number, words]) => `${number.toLocaleString('en')} ${words}`);
  return [
    ...lines,
    `not equal: ${found.join(', ')} (${count(counts.a, 'record')} in ${a}, ${counts.b.toLocaleString('en')} in ${b})`,
  ];
}

function linesOf({ difference, a: inA, b: inB }: FoundDifference, a: string, b: string): string[] {
  const width = Math.max(a.length, b.length);
  const row = (topic: string, record: InRecord | undefined): string => `  ${topic.padEnd(width)}  ${contentOf(record)}`;
  const subject = nameOf(inA ?? inB);
  if (difference.type === 'changed') return [`different  ${subject}`, row(a, inA), row(b, inB)];
  const topic = difference.side === 'a' ? a : b;
  const words = difference.type === 'again' ? `once more in ${topic}` : `only in ${topic}`;
  return [
    `${words}, partition ${difference.at.partition}, offset ${difference.at.offset}  ${subject}`,
    `  ${contentOf(inA ?? inB)}`,
  ];
}

function nameOf(record: InRecord | undefined): string {
  if (record === undefined) return '';
  const place = placeOf(record);
  const key = record.key === null ? 'no key' : `key ${printable(record.key.toString())}`;
  return place === undefined ? key : `${key}, money record ${place}`;
}

function contentOf(record: InRecord | undefined): string {
  if (record === undefined) return '(gone since it was read)';
  const mark = markOf(record);
  return `${textOf(record.value)}${mark === '' ? '' : `  [enrichment: ${printable(mark)}]`}`;
}

function textOf(value: Buffer | null): string {
  if (value === null) return 'null';
  const text = value.toString();
  return Buffer.from(text).equals(value) && value[0] !== 0 ? printable(text) : `base64 ${value.toString('base64')}`;
}

function jsonOf({ differences, ...rest }: Comparison, a: string, b: string): unknown {
  const record = (one: InRecord | undefined) =>
    one && {
      key: one.key?.toString() ?? null,
      value: one.value === null ? null : textOf(one.value),
      moneyRecord: placeOf(one) ?? null,
      enrichment: markOf(one) || null,
    };
  return {
    a,
    b,
    equal: differing({ differences, ...rest }) === 0,
    ...rest,
    differences: differences.map(({ difference, a: inA, b: inB }) => ({
      ...difference,
      records: { a: record(inA), b: record(inB) },
    })),
  };
}
