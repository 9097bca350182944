/** `topics`: creates what is missing, changes nothing that exists, says what does not fit. */
import { Command } from 'commander';
import { EnrichmentError } from '../errors.ts';
import { DEFAULT_SHARDS, ensureTopics } from '../kafka/topics.ts';
import { wholeNumber } from './arguments.ts';
import { createContext, reachKafka } from './context.ts';
import { progress, writeLine } from './output.ts';

const DEFAULT_PARTITIONS = 4;

interface TopicsOptions {
  readonly partitions: number;
  readonly shards: number;
  readonly keepForever?: true;
}

export function topicsCommand(): Command {
  return new Command('topics')
    .description(
      'Creates the missing topics with the settings that exactly-once needs, changes none that exists, and says what does ' +
        'not fit: exit code 1 if exactly-once or co-partitioning would not hold.',
    )
    .option('--partitions <n>', 'partitions of the three input topics, where none of them exists yet', wholeNumber(1, 1_000), DEFAULT_PARTITIONS)
    .option('--shards <n>', 'partitions of the output topic and of its ledger: fixed for ever', wholeNumber(1, 1_000), DEFAULT_SHARDS)
    .option('--keep-forever', 'records of the new topics never expire')
    .action((options: TopicsOptions) => topics(options));
}

async function topics(options: TopicsOptions): Promise<void> {
  const context = createContext({ requireKafka: true }, { quiet: true });
  const { config, logger } = context;
  const shown = progress(`asking Kafka at ${config.kafka?.brokers.join(',') ?? ''}`);
  try {
    await reachKafka(context);
    const { created, findings } = await ensureTopics(config, logger, {
      partitions: options.partitions,
      shards: options.shards,
      keepForever: options.keepForever === true,
    });
    for (const topic of Object.values(config.topics)) {
      const wrong = findings.some((finding) => finding.topic === topic);
      writeLine(`${topic}: ${created.includes(topic) ? 'created' : wrong ? 'exists' : 'exists, fits'}`);
    }
    for (const { level, topic, message } of findings) writeLine(`${level === 'wrong' ? '✗' : '!'} ${topic}: ${message}`);
    const wrong = [...new Set(findings.filter(({ level }) => level === 'wrong').map(({ topic }) => topic))];
    if (wrong.length > 0) throw new EnrichmentError('CHECK_FAILED', `these topics do not fit: ${wrong.join(', ')}`);
  } finally {
    shown.end();
  }
}
