/** What the demo says before and after. */
import type { Stack } from '../../dev/stack.ts';
import { workflowIdsOf } from '../../money/workflow-ids.ts';
import type { DemoOptions } from './options.ts';
import type { DemoSetup } from './setup.ts';
import { plural } from './verdict.ts';
import type { DemoVerdict } from './verdict.ts';

const MAX_DIFFERENCES = 10;
const MAX_LINE = 600;

export function intro({ users, events, kill }: DemoOptions, { shared, config }: DemoSetup): string[] {
  return [
    `money-enrichment: ${plural(events, 'event')} of ${plural(users, 'user')} go into Kafka, out of order, with duplicates, late and old`,
    'money, money before its session, sessions that expire and records that nobody can use. One Temporal workflow per',
    'user enriches the money; each event has to come out exactly once.' +
      (kill ? ' The worker is killed in the middle.' : ''),
    'Two days of event time pass in about a minute, with the default rules: sessions live for a day, ids are remembered for',
    'a minute, money waits an hour for its session, 20 s out of order is on time.',
    ...(shared
      ? [
          `The configured Kafka or Temporal is used, under names of its own: application id and topics begin with "${config.appId}".`,
        ]
      : []),
    '',
  ];
}

export function renderVerdict({ ok, checks, differences }: DemoVerdict): string[] {
  const shown = differences
    .slice(0, MAX_DIFFERENCES)
    .flatMap((text) => text.split('\n').map((line) => `    ${cut(line)}`));
  const more = differences.length - MAX_DIFFERENCES;
  return [
    'The verdict of a model that shares no code with the system:',
    ...checks.map((check) => `  ${check.ok ? 'right' : 'WRONG'}  ${check.text}`),
    ...(shown.length === 0
      ? []
      : ['', '  The first differences:', ...shown, ...(more > 0 ? [`    and ${plural(more, 'other')}`] : [])]),
    '',
    ok ? 'RIGHT: every money event exactly once, every field right.' : 'WRONG: the output is not what it has to be.',
    '',
  ];
}

function cut(line: string): string {
  return line.length <= MAX_LINE ? line : `${line.slice(0, MAX_LINE)} ... (${line.length} characters)`;
}

export interface FarewellOptions {
  readonly keep: boolean;
  readonly setup: DemoSetup;
  readonly stack: Stack;
  /** URL */
  readonly ui: string | undefined;
  readonly heroId: string;
  /** Of the hero's workflow: where nothing more is sent it is the last one. Undefined when it has none. */
  readonly heroRun: string | undefined;
  readonly namespace: string;
}

export function farewell({ keep, setup, stack, ui, heroId, heroRun, namespace }: FarewellOptions): string[] {
  const left = setup.shared
    ? [`Topics and workflows of the demo stay in the cluster; their names begin with "${setup.config.appId}".`]
    : [];
  if (!keep) {
    return [
      'Try next:',
      '  npm run demo -- --keep                      the same, and all of it stays up to be looked at',
      '  npm run demo -- --seed 2 --events 10000     other and more events',
      '  npm run dev                                 the system without traffic; "npx money-enrichment generate" makes some',
      ...left,
    ];
  }
  const addresses = {
    KAFKA_BROKERS: stack.kafka.brokers.join(','),
    TEMPORAL_ADDRESS: stack.temporal,
    TEMPORAL_NAMESPACE: namespace,
    ENRICHMENT_SESSION_SERVICE_URL: stack.sessionService,
    ...registryOf(stack, setup),
    ...setup.naming,
  };
  const page = [
    encodeURIComponent(workflowIdsOf(setup.config)(heroId)),
    ...(heroRun === undefined ? [] : [heroRun, 'user-metadata']),
  ];
  return [
    ...(ui === undefined
      ? ['All stays up until Ctrl-C.']
      : [
          `All stays up until Ctrl-C. Temporal's UI says in words what became of the money of user ${heroId}. Open:`,
          `  ${ui}/${page.join('/')}`,
          `  ${ui}    all users`,
        ]),
    'Try in another terminal:',
    `  export ${Object.entries(addresses)
      .map(([name, value]) => `${name}=${value}`)
      .join(' ')}`,
    `  npx money-enrichment state ${heroId}`,
    '  npx money-enrichment dead-letters',
    '  npx money-enrichment doctor',
    '  npx money-enrichment generate --events 1000 --pending 5%',
    ...left,
  ];
}

/** One that was started here; what is configured stays where it is, with its password. */
function registryOf({ schemaRegistry }: Stack, { config }: DemoSetup): Readonly<Record<string, string>> {
  if (schemaRegistry === undefined || config.schemaRegistry !== undefined) return {};
  return { ENRICHMENT_VALUE_FORMAT: 'avro', SCHEMA_REGISTRY_URL: schemaRegistry };
}
