/** An explanation as a short story, for people. */
import { isoOf } from '../../engine/workflow/iso.ts';
import { printable } from '../../engine/printable.ts';
import type { Explained, ExplainedMoney } from './explanation.ts';
import type { MoneyStory } from './story.ts';
import { decisionWords, earlierName, lasting, placeName, releaseWords } from './words.ts';

export interface Colours {
  readonly strong: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly dim: (text: string) => string;
}

export const PLAIN: Colours = { strong: (text) => text, bad: (text) => text, dim: (text) => text };
const sgr = (code: number) => (text: string) => `\u001b[${code}m${text}\u001b[0m`;
export const COLOURS: Colours = { strong: sgr(1), bad: sgr(31), dim: sgr(2) };

type Row = readonly [label: string, text: string];
const LABEL = 14;

export function renderExplanation(explained: Explained, colours: Colours): string {
  const { money, runs, complete, closed } = explained;
  const retained = runs.length === 1 ? '1 run' : `${runs.length} runs`;
  const lines = money.flatMap((one, index) => [
    ...(money.length > 1 ? [colours.strong(`${index + 1} of ${money.length} records with this id`)] : []),
    ...renderMoney(one, explained, colours),
    '',
  ]);
  lines.push(
    colours.dim(
      `History: ${retained} from ${isoOf(runs[0]!.from)} on, ${complete ? 'complete' : 'older ones are no longer retained'}.`,
    ),
  );
  const differing = runs.filter(({ agrees }) => agrees === false);
  for (const { runId } of differing) {
    lines.push(
      colours.bad(`DIFFERENT: run ${runId} began with another state than these rules give for the run before.`),
    );
  }
  for (const { runId, differs } of runs) {
    if (differs !== undefined) {
      lines.push(colours.bad(`DIFFERENT: run ${runId} is not followed from ${isoOf(differs.at)} on: ${differs.how}.`));
    }
  }
  if (closed !== undefined) lines.push(colours.bad(`The workflow was ${closed}: nothing follows.`));
  return lines.join('\n');
}

function renderMoney(one: ExplainedMoney, explained: Explained, { strong, bad, dim }: Colours): string[] {
  const { story, problems } = one;
  const rows: Row[] = [
    [
      'record',
      `${placeName(story.place)}  ${printable(story.money.moneyType)} ${story.money.amount} ${story.money.currency}`,
    ],
    ['event time', `${isoOf(story.money.ts)}${timeliness(story)}`],
    ...appliedRows(story),
    ...userInfoRows(story),
    ...sessionRows(story),
    ...(story.joined === undefined ? [] : [firstRow(story)]),
    ...publicationRows(one, explained),
  ];
  return [
    strong(headline(story)),
    ...rows.map(([label, text]) => `  ${dim(label.padEnd(LABEL))}${text}`),
    ...problems.map((problem) => bad(`  DIFFERENT: ${problem}`)),
  ];
}

/** The answer in a sentence. */
export function headline(story: MoneyStory): string {
  const { decision, released, output, lookups, record, carried } = story;
  if (record === undefined && carried === undefined) {
    return 'Its signal is in Temporal, and no worker has applied it yet.';
  }
  if (decision?.type === 'duplicate') {
    return 'It did not come out: a record with the same id was applied shortly before.';
  }
  const from = output?.enriched.sessionInfo?.clientCountryCode;
  const waited =
    released === undefined || story.appliedAt === undefined ? '' : ` after ${lasting(released.at - story.appliedAt)}`;
  if (output === undefined) {
    const last = lookups.at(-1);
    if (last !== undefined || released !== undefined || decision?.type === 'lookup') {
      return 'It has not come out yet: the session service is being asked for its session.';
    }
    return 'It has not come out yet: it waits for its session.';
  }
  if (decision?.type === 'no-session') return 'It came out without a session, as it names none.';
  if (decision?.type === 'joined') return `It came out at once, joined with its session (${printable(from ?? '')}).`;
  if (released?.by.type === 'session' && !released.by.expired) {
    return `It waited for its session, which came${waited} (${printable(from ?? '')}).`;
  }
  if (output.incomplete === true) {
    return 'It came out without a session: the session service gave no usable answer in time (enrichment: incomplete).';
  }
  if (lookups.length === 0) return 'It came out; how it was decided lies before the retained history.';
  return from === undefined
    ? 'It came out without a session: the session service does not know it.'
    : `It came out with the answer of the session service (${printable(from)}).`;
}

function timeliness({ record }: MoneyStory): string {
  if (record === undefined) return '';
  if (record.late !== undefined) {
    return `, ${lasting(record.late - record.ts)} late: the watermark was ${isoOf(record.late)} when it was read, its effective time`;
  }
  return ', on time';
}

function appliedRows({ record, appliedAt, carried, decision, redeliveredAt, joined }: MoneyStory): Row[] {
  const rows: Row[] = [];
  if (record === undefined && carried !== undefined) rows.push(['applied', 'before the retained history']);
  if (record !== undefined) {
    rows.push([
      'applied',
      `${isoOf(appliedAt!)}, ${lasting(appliedAt! - record.receivedAt)} after its signal (event ${record.receivedEvent})`,
    ]);
  }
  if (decision !== undefined) rows.push(['decision', decisionWords(decision)]);
  if (decision?.type === 'duplicate') {
    const { of } = decision;
    rows.push(['duplicate of', `${earlierName(of)}, event time ${isoOf(of.ts)}`]);
  }
  if (redeliveredAt.length > 0) {
    rows.push(['redelivered', `${redeliveredAt.map(isoOf).join(', ')}: dropped, its place was applied before`]);
  }
  if (joined === undefined) return rows;
  return rows;
}

function userInfoRows({ joined }: MoneyStory): Row[] {
  if (joined === undefined) return [];
  const { birthYear, residentCountryCode } = joined.userInfo;
  const changes = [
    ['birth year', birthYear],
    ['country', residentCountryCode],
  ] as const;
  const known = changes.flatMap(([name, change]): Row[] =>
    change === undefined ? [] : [[name, `${printable(change.value)}  since ${isoOf(change.ts)}  ${placeName(change)}`]],
  );
  return known.length === 0 ? [['user info', 'nothing was known at its event time']] : known;
}

function sessionRows({ money, decision, released, appliedAt, lookups }: MoneyStory): Row[] {
  const rows: Row[] = [['session', money.userSessionId ?? 'none named']];
  const session =
    decision?.type === 'joined' || decision?.type === 'lookup'
      ? decision.session
      : released?.by.type === 'session'
        ? released.by.session
        : undefined;
  if (session !== undefined) {
    rows.push([
      '',
      `${printable(session.clientCountryCode)}  from ${isoOf(session.ts)} to ${isoOf(session.expiresAt)}  ${placeName(session)}`,
    ]);
  }
  if (released !== undefined) {
    rows.push([
      'waited',
      `${appliedAt === undefined ? '' : `${lasting(released.at - appliedAt)}, until `}${isoOf(released.at)}: ${releaseWords(released.by)}`,
    ]);
  }
  for (const { askedAt, endedAt, attempts, status, lastFailure, giveUpAt } of lookups) {
    const tries = attempts === undefined ? '' : `, ${attempts} attempt${attempts === 1 ? '' : 's'}`;
    const end =
      endedAt === undefined
        ? `under way since ${isoOf(askedAt)}, until ${isoOf(giveUpAt)} at most`
        : `${status} ${isoOf(endedAt)}, ${lasting(endedAt - askedAt)} after it was asked for`;
    rows.push([
      'lookup',
      `${end}${tries}${lastFailure === undefined ? '' : `; last failure: ${printable(lastFailure)}`}`,
    ]);
  }
  return rows;
}

function firstRow({ joined, money }: MoneyStory): Row {
  const type = printable(money.moneyType);
  if (joined!.firstOccurrence) return ['first of type', `yes, of ${type}`];
  return ['first of type', `no, the first of ${type} was ${earlierName(joined!.firstBy ?? {})}`];
}

function publicationRows({ story, published }: ExplainedMoney, { kafka, topic }: Explained): Row[] {
  const rows: Row[] = [];
  const { publication, output } = story;
  if (publication !== undefined) {
    const { stream, seq, acknowledgedAt } = publication;
    rows.push([
      'publication',
      `${stream} #${seq}, ${acknowledgedAt === undefined ? 'not acknowledged to the workflow yet' : `acknowledged ${isoOf(acknowledgedAt)}`}`,
    ]);
  }
  if (kafka !== 'read') return output === undefined ? rows : [...rows, ['published', `not looked up: ${kafka}`]];
  for (const { partition, offset, timestamp } of published) {
    rows.push(['published', `${topic}/${partition}/${offset}  at ${isoOf(timestamp)}`]);
  }
  if (output !== undefined && published.length === 0) {
    rows.push([
      'published',
      `no record of it in ${topic}${publication?.acknowledgedAt === undefined ? ' yet' : ': deleted by retention, or another topic is configured'}`,
    ]);
  }
  for (const { headers } of published) {
    rows.push([
      'headers',
      Object.entries(headers)
        .map(([name, value]) => `${name} ${printable(value)}`)
        .join(', '),
    ]);
  }
  return rows;
}
