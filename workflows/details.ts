/**
 * A user's workflow in words, for the details in Temporal's UI: Markdown tables. Made after each step, so it looks at a handful of each
 * kind and never through all of them.
 */
import type { Recent } from '../src/engine/workflow/entity/entity.ts';
import { isoOf } from '../src/engine/workflow/iso.ts';
import { keptOf } from '../src/money/domain/kept.ts';
import { sessionStatus } from '../src/money/domain/sessions.ts';
import type { Life, Lookup, Output } from '../src/money/domain/types.ts';
import { cut } from './views.ts';

/** Rows of a table. */
const ROWS = 5;

export function details(life: Life, recent: readonly Recent<Output>[]): string {
  const { user, published, unpublished } = life;
  const { counters } = user;
  const { sessions, pending } = keptOf(user);
  const out = published.applied + published.resolved;
  return [
    `Event time **${user.tau === null ? 'none yet' : isoOf(user.tau)}**`,
    `Money: **${counters.moneyApplied}** applied, ${counters.duplicatesDropped} duplicates dropped, **${out}** published${unpublished.length === 0 ? '' : `, ${unpublished.length} to be published`}`,
    ...titled('Money that waits for its session', pending.count, [
      ['money', 'of', 'its session', 'looked up when event time passes', 'or at, by the clock'],
      ...pending
        .some(ROWS)
        .map(({ money, dueAt, wallDueAt }) => [
          money.id,
          isoOf(money.ts),
          money.userSessionId,
          isoOf(dueAt),
          wallDueAt === undefined ? 'never' : isoOf(wallDueAt),
        ]),
    ]),
    ...titled('Lookups under way', user.lookups.length, [
      ['money', 'of', 'session', 'given up at, by the clock'],
      ...user.lookups
        .slice(0, ROWS)
        .map(({ money, giveUpAt }) => [
          money.id,
          isoOf(money.ts),
          money.userSessionId,
          giveUpAt === undefined ? 'never' : isoOf(giveUpAt),
        ]),
    ]),
    ...titled('Sessions', sessions.count, [
      ['session', 'country', 'from', 'until', ''],
      ...sessions.newest(ROWS).map(({ id, session }) => sessionRow(life, id, session)),
    ]),
    ...titled('Last outputs', out, [
      ['money', 'of', 'country of session', 'offset in the output topic', 'came out'],
      ...recent.map(({ output, stream, at }) => [
        output.enriched.money.id,
        isoOf(output.enriched.money.ts),
        cell(output.enriched.sessionInfo?.clientCountryCode ?? (output.incomplete === true ? 'not known in time' : '')),
        at === undefined ? '' : String(at),
        stream === 'applied' ? 'at once, or with its session' : 'after a lookup',
      ]),
    ]),
  ].join('\n\n');
}

/** In one line, for a call that asks for them. */
export function lookupSummary(lookups: readonly Lookup[], { user: { tau } }: Life): string {
  const sessions = new Set(lookups.map(({ money }) => money.userSessionId));
  const oldest = lookups.reduce((least, { money }) => Math.min(least, money.ts), Infinity);
  const late = tau === null || tau <= oldest ? '' : `, ${durationOf(tau - oldest)} late`;
  const [first = ''] = sessions;
  return `lookup of ${sessions.size === 1 ? `session ${first.slice(0, 8)}` : `${sessions.size} sessions`}${late}`;
}

function sessionRow(
  { user: { tau }, rules }: Life,
  id: string,
  { ts, clientCountryCode }: { readonly ts: number; readonly clientCountryCode: string },
): string[] {
  if (rules === null || tau === null) return [id, cell(clientCountryCode), isoOf(ts), '', ''];
  const status = sessionStatus({ ts, clientCountryCode, offset: 0 }, tau, rules.sessionTtl);
  return [id, cell(clientCountryCode), isoOf(ts), isoOf(ts + rules.sessionTtl), status === 'visible' ? '' : 'expired'];
}

/** `rows`: the first is the heading. Nothing where there is nothing. */
function titled(title: string, count: number, rows: readonly (readonly string[])[]): string[] {
  const shown = rows.length - 1;
  if (shown === 0) return [];
  const [heading = [], ...rest] = rows.map((cells) => `| ${cells.join(' | ')} |`);
  const rule = `|${' --- |'.repeat(rows[0]!.length)}`;
  return [
    `**${title}**: ${count}${shown < count ? `, of which ${shown} are shown` : ''}`,
    [heading, rule, ...rest].join('\n'),
  ];
}

/** A text that came from outside, as a cell of a table. */
function cell(text: string): string {
  return cut(text)
    .replace(/[|\\`*_<>[\]]/g, '\\$&')
    .replace(/\s+/g, ' ');
}

/** The largest unit of which there is one: `23 min`. */
function durationOf(ms: number): string {
  for (const [unit, size] of UNITS) {
    if (ms >= size) return `${Math.floor(ms / size)} ${unit}`;
  }
  return `${ms} ms`;
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;
