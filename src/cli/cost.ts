/** `cost`: what a load costs, before there is one. */
import { Command } from 'commander';
import { cachedWorkflows } from '../engine/worker/workflow-cache.ts';
import { formatDuration } from '../engine/process/environment-reader.ts';
import { costOf, PROCESSES, type Cost, type CostOf } from '../tools/cost/cost.ts';
import { positive, wholeNumber } from './arguments.ts';
import { createContext } from './context.ts';
import { result } from './document.ts';
import { table } from './table.ts';

interface Options {
  readonly users: number;
  readonly eventsPerSecond: number;
}

const DAY_SECONDS = 86_400;
const MONTH_SECONDS = 30 * DAY_SECONDS;

export function costCommand(): Command {
  return new Command('cost')
    .description(
      'Touches (signals with their workflow task), Temporal actions, stored bytes and processor cores of a load. A sample of its users\n' +
        "goes through the bridge's own ordering in virtual time; needs neither Kafka nor Temporal. ENRICHMENT_FLUSH_DELAY and\n" +
        'ENRICHMENT_OUT_OF_ORDERNESS count.',
    )
    .requiredOption('--users <n>', 'users, equally busy', wholeNumber(1, 100_000_000))
    .requiredOption('--events-per-second <n>', 'money, session and user events of all of them', positive(10_000_000))
    .option('--json', 'the result as one JSON document, for a second')
    .action(run);
}

async function run({ users, eventsPerSecond }: Options): Promise<void> {
  const { config } = createContext({}, { quiet: true });
  const { flushDelay, outOfOrderness } = config;
  const load = { users, eventsPerSecond, flushDelay, outOfOrderness };
  const cost = await costOf(load);
  result({ ...load, ...cost }, () => textOf(load, cost));
}

function textOf({ users, eventsPerSecond, flushDelay, outOfOrderness }: CostOf, cost: Cost): string {
  const row = (what: string, perSecond: number): string[] => [
    what,
    number(perSecond),
    number((perSecond * 1_000) / eventsPerSecond),
    number(perSecond * MONTH_SECONDS),
  ];
  const cores = PROCESSES.map((name) => `${name} ${cost.cores[name].toFixed(2)}`).join(', ');
  const all = PROCESSES.reduce((sum, name) => sum + cost.cores[name], 0);
  return [
    `${number(users)} users, ${number(eventsPerSecond)} events a second; flush delay ${formatDuration(flushDelay)}, out-of-orderness ${formatDuration(outOfOrderness)}`,
    '',
    table(
      ['', 'a second', 'of 1,000 events', 'in 30 days'],
      [row('touches', cost.touches), row('Temporal actions', cost.actions), row('bytes of history', cost.historyBytes)],
    ),
    '',
    `${cost.eventsPerTouch.toFixed(2)} events a touch. History: ${number((cost.historyBytes * DAY_SECONDS) / 1e9)} GB for each day of the namespace's retention.`,
    `Cores that are busy: ${all.toFixed(2)} (${cores}), as measured on the machine of docs/performance.md.`,
    `A worker with all of them in memory would need ${number((users * 0.2) / 1_000)} GB (ENRICHMENT_WORKFLOW_CACHE_MB); 2 GB hold ${number(cachedWorkflows(2_000, 1))}.`,
  ].join('\n');
}

/** Three digits that count, with thousands apart. */
function number(value: number): string {
  return value.toLocaleString('en', { maximumSignificantDigits: 3 });
}
