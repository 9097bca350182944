/** `demo`: see it work, and have it checked. stdout has the story and the verdict, stderr what happens meanwhile. */
import { constants } from 'node:os';
import { Command } from 'commander';
import { readEnvironment } from '../money/config.ts';
import { CodedError } from '../engine/errors.ts';
import { runDemo } from '../tools/demo/run.ts';
import type { DemoOptions } from '../tools/demo/options.ts';
import { createScreen } from '../tools/demo/screen.ts';
import { isAbort } from '../dev/together.ts';
import { createTopics } from './dev.ts';
import { result, wantsDocument } from './document.ts';
import { writeLine } from './output.ts';
import { printable } from '../engine/printable.ts';

const MAX_PARTITIONS = 64;

export function demoCommand(): Command {
  return new Command('demo')
    .description(
      'see it work: Kafka, Temporal, worker and bridge started here, generated traffic, a live view, and a check of all that came out',
    )
    .option('--users <n>', 'number of users', integer('--users', 2, 10_000), 100)
    .option(
      '--events <n>',
      'number of records, besides those that only move time',
      integer('--events', 100, 200_000),
      3000,
    )
    .option('--seed <n>', 'the same seed gives the same events', integer('--seed', 0, Number.MAX_SAFE_INTEGER), 1)
    .option('--partitions <n>', 'partitions of the topics', integer('--partitions', 1, MAX_PARTITIONS), 4)
    .option('--avro', 'values in Avro, with a schema registry (the same as ENRICHMENT_VALUE_FORMAT=avro)')
    .option('--keep', 'leave all running at the end, until Ctrl-C')
    .option('--no-kill', 'do not kill the worker in the middle')
    .addHelpText(
      'after',
      `
Takes about a minute and a half. Exit code 0 only if every money event came out exactly once with every field right.
The rules are the defaults, whatever is configured. A Kafka of KAFKA_BROKERS and a Temporal of TEMPORAL_ADDRESS are used
where they are set, with topics and an application id of their own. Ctrl-C stops everything that it started.`,
    )
    .action(demo);
}

async function demo(
  options: Omit<DemoOptions, 'keep'> & { readonly keep?: true; readonly avro?: true },
): Promise<void> {
  const requested = new AbortController();
  let signalNumber = 0;
  const env = { ...readEnvironment(), ...(options.avro === true ? { ENRICHMENT_VALUE_FORMAT: 'avro' } : {}) };
  const screen = createScreen({ stream: process.stderr, env: process.env, now: Date.now });
  const stop = (signal: NodeJS.Signals): void => {
    if (requested.signal.aborted) return;
    signalNumber = constants.signals[signal];
    requested.abort(new Error(`stopped by ${signal}`));
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, stop);
  try {
    const right = await runDemo(
      { ...options, keep: options.keep === true },
      { env, createTopics, screen, say: writeLine, signal: requested.signal },
    );
    if (wantsDocument()) result({ right, users: options.users, events: options.events, seed: options.seed }, () => []);
    if (!right) process.exitCode = 1;
  } catch (error) {
    if (!isAbort(error, requested.signal)) throw error;
    process.exitCode = 128 + signalNumber;
  } finally {
    for (const signal of signals) process.off(signal, stop);
  }
}

function integer(option: string, min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new CodedError('CONFIG', `${option} is "${printable(text)}": give a whole number from ${min} to ${max}`);
  };
}
