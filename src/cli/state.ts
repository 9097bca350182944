/** `state <userId>`: what the user's workflow answers to the query `state`. */
import { Command } from 'commander';
import type { UserStateView } from '../../workflows/views.ts';
import { QUERIES } from '../../workflows/messages.ts';
import { workflowIdsOf } from '../money/workflow-ids.ts';
import { queryWorkflow } from '../tools/query.ts';
import { connectTemporal } from '../engine/temporal/connection.ts';
import { uuid } from './arguments.ts';
import { createContext } from './context.ts';
import { result } from './document.ts';
import { table, windowWidth } from './table.ts';
import { printable } from '../engine/printable.ts';

export function stateCommand(): Command {
  return new Command('state')
    .description(
      "A user's state, from the running workflow: effective time, user info, sessions with expiry, pending money by session, " +
        'lookups in flight, first occurrences, counters. Needs Temporal and a running worker.',
    )
    .argument('<userId>', 'UUID of the user')
    .action(async (user: string) => {
      const userId = uuid('user id', user);
      const { config, env, identity } = createContext({ requireTemporal: true }, { quiet: true });
      const temporal = await connectTemporal(env, identity);
      try {
        const view = await queryWorkflow<UserStateView>(temporal, workflowIdsOf(config)(userId), QUERIES.state);
        result(view, () => renderState(view));
      } finally {
        await temporal.connection.close();
      }
    });
}

/** For people; every list says when it is cut. */
export function renderState(view: UserStateView): string {
  const { userInfo, sizes } = view;
  const info = userInfo === null ? [] : Object.entries(userInfo).map(([name, value]) => `${name} ${printable(value)}`);
  const pending = Object.entries(view.pendingMoney).flatMap(([sessionId, money]) =>
    money.map((one) => [
      sessionId,
      one.moneyId,
      one.processedAt,
      printable(one.moneyType),
      `${one.amount} ${one.currency}`,
      one.dueAt,
    ]),
  );
  return [
    table(
      ['user', view.userId],
      [
        ['effective time', view.effectiveTime ?? 'none yet'],
        ['user info', info.length === 0 ? 'none known' : info.join(', ')],
        ['first occurrences', firstOccurrences(view)],
        ['remembered for dedup', String(sizes.dedupEntries)],
        ['partition', String(view.partition)],
        ['running since', view.incarnation.startedAt],
      ],
    ),
    section(
      'sessions',
      sizes.sessions,
      ['session', 'country', 'created', 'expires', 'status'],
      view.sessions.map((one) => [
        one.sessionId,
        printable(one.clientCountryCode),
        one.createdAt,
        one.expiresAt,
        one.status,
      ]),
    ),
    section(
      'pending money',
      sizes.pendingMoney,
      ['waits for session', 'money', 'processed at', 'type', 'amount', 'looked up after'],
      pending,
    ),
    section(
      'lookups in flight',
      sizes.lookups,
      ['session', 'money', 'given up at'],
      view.lookups.map((one) => [one.sessionId, one.moneyId, one.givenUpAt ?? 'not started']),
    ),
    section(
      'counters',
      0,
      ['counter', 'value'],
      Object.entries(view.counters).map(([name, value]) => [words(name), countText(value)]),
    ),
  ].join('\n\n');
}

function firstOccurrences({ firstOccurrences: types, sizes }: UserStateView): string {
  if (types.length === 0) return 'none';
  const more = sizes.firstOccurrences - types.length;
  return `${types.map(printable).join(', ')}${more > 0 ? `, and ${more} more` : ''}`;
}

function section(
  title: string,
  size: number,
  heading: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  if (rows.length === 0) return `${title}: none`;
  const cut = size > rows.length ? ` (${size}, the first ${rows.length} shown)` : '';
  const lines = table(heading, rows, windowWidth() - 2)
    .split('\n')
    .map((line) => `  ${line}`);
  return `${title}${cut}\n${lines.join('\n')}`;
}

/** By name: `EUR 3, USD 1`. */
function countText(value: number | Readonly<Record<string, number>>): string {
  if (typeof value === 'number') return String(value);
  return (
    Object.entries(value)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ') || 'none'
  );
}

/** `moneyApplied` -> `money applied` */
function words(name: string): string {
  return name.replace(/[A-Z]/g, (sign) => ` ${sign.toLowerCase()}`);
}
