/**
 * A user's workflow in words, for the details in Temporal's UI: Markdown tables. Made after each step, so it looks at a handful of each
 * kind and never through all of them.
 */
import type { Recent } from '../src/engine/workflow/entity/entity.ts';
import { isoOf } from '../src/engine/workflow/iso.ts';
import { keptOf } from '../src/money/domain/kept.ts';
import { sessionStatus } from '../src/money/domain/sessions.ts';
import type { Life, Lookup, Money, Output } from '../src/money/domain/types.ts';
import { cut } from './views.ts';

/** Entries of a table. */
const ROWS = 5;
/** Characters of a text from outside: a word does not break, and makes its column as wide as it is. */
const WIDTH = 24;
const GAP = '\u00a0\u00a0\u00a0';

export function details(life: Life, recent: readonly Recent<Output>[]): string {
  const { user, published, unpublished } = life;
  const { counters } = user;
  const { sessions, pending } = keptOf(user);
  const out = published.applied + published.resolved;
  return [
    `Event time **${user.tau === null ? 'none yet' : isoOf(user.tau)}**`,
    `Money: **${counters.moneyApplied}** applied, ${counters.duplicatesDropped} ${counters.duplicatesDropped === 1 ? 'duplicate' : 'duplicates'} dropped, **${out}** published${unpublished.length === 0 ? '' : `, ${unpublished.length} to be published`}`,
    ...titled('Money that waits for its session', pending.count, [
      ['money', 'waits'],
      ...pending
        .some(ROWS)
        .map(({ money, dueAt, wallDueAt }) => [
          moneyCell(money),
          `for session ${money.userSessionId}, which is looked up when event time passes ${isoOf(dueAt)}${wallDueAt === undefined ? '' : `, or at ${isoOf(wallDueAt)} by the clock`}`,
        ]),
    ]),
    ...titled('Lookups under way', user.lookups.length, [
      ['money', 'asks'],
      ...user.lookups
        .slice(0, ROWS)
        .map(({ money, giveUpAt }) => [
          moneyCell(money),
          `for session ${money.userSessionId}, and ${giveUpAt === undefined ? 'never gives up' : `gives up at ${isoOf(giveUpAt)} by the clock`}`,
        ]),
    ]),
    ...titled('Sessions', sessions.count, [
      ['session', 'country', 'known'],
      ...sessions.newest(ROWS).map(({ id, session }) => sessionRow(life, id, session)),
    ]),
    ...titled('Last outputs', out, [
      ['money', 'enriched with', 'came out'],
      ...recent.map(({ output, stream, at }) => [
        moneyCell(output.enriched.money),
        enrichedCell(output),
        `${stream === 'applied' ? 'at once, or with its session' : 'after a lookup'}${at === undefined ? '' : `, at offset ${at}`}`,
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

function moneyCell({ id, moneyType, amount, currency, ts }: Money): string {
  return `**${cell(moneyType)} ${cell(amount)} ${cell(currency)}** of ${isoOf(ts)} ${id}`;
}

/** As the demo tells it. */
function enrichedCell({ enriched, incomplete }: Output): string {
  const { money, userInfo, sessionInfo, firstOccurrence } = enriched;
  const known = [userInfo?.birthYear, userInfo?.residentCountryCode].filter((value) => value !== undefined);
  const client =
    sessionInfo !== undefined
      ? `client in ${cell(sessionInfo.clientCountryCode)}`
      : money.userSessionId === undefined
        ? 'no session'
        : `session ${incomplete === true ? 'not known in time' : 'unknown'}`;
  const user = `user ${known.length === 0 ? 'unknown' : known.map((value) => cell(value)).join(' ')}`;
  return [user, client, ...(firstOccurrence ? ['first of its type'] : [])].join(', ');
}

function sessionRow(
  { user: { tau }, rules }: Life,
  id: string,
  { ts, clientCountryCode }: { readonly ts: number; readonly clientCountryCode: string },
): string[] {
  const country = cell(clientCountryCode);
  if (rules === null || tau === null) return [id, country, `from ${isoOf(ts)}`];
  const status = sessionStatus({ ts, clientCountryCode, offset: 0 }, tau, rules.sessionTtl);
  const until = `until ${isoOf(ts + rules.sessionTtl)}`;
  return [id, country, `from ${isoOf(ts)} ${until}${status === 'visible' ? '' : ': expired'}`];
}

/**
 * `rows`: the first is the heading. Nothing where there is nothing. Temporal's UI draws no lines and leaves no room between cells, so
 * there is a column between two columns and a row between two rows; and half a page is narrow, so columns are few.
 */
function titled(title: string, count: number, rows: readonly (readonly string[])[]): string[] {
  const shown = rows.length - 1;
  if (shown === 0) return [];
  const [heading = '', ...rest] = rows.map((cells) => `| ${cells.join(` | ${GAP} | `)} |`);
  const columns = 2 * rows[0]!.length - 1;
  const rule = `|${' :-- |'.repeat(columns)}`;
  return [
    `**${title}**: ${count}${shown < count ? `, of which ${shown} are shown` : ''}`,
    [heading, rule, rest.join(`\n|${` ${GAP} |`.repeat(columns)}\n`)].join('\n'),
  ];
}

/** A text that came from outside, in a cell of a table. */
function cell(text: string): string {
  return cut(text, WIDTH)
    .replace(/[|\\`*_~<>[\]]/g, '\\$&')
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
