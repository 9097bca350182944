/** The words of an explanation and of a time line. */
import { printable } from '../../engine/printable.ts';
import { isoOf } from '../../engine/workflow/iso.ts';
import type { Coordinate, Earlier, Happening, PlacedDecision, Release } from './happening.ts';
import type { Departure } from './replayed-run.ts';

/** `wallet-events/3/1042`, as dead letters are named. */
export function placeName({ topic, partition, offset }: Coordinate): string {
  return `${topic}/${partition}/${offset}`;
}

/** `250 ms`, `1.5 s`, `3 min 20 s`, `2 h 5 min`, `1 d 3 h` */
export function lasting(ms: number): string {
  const whole = Math.abs(Math.round(ms));
  if (whole < 1_000) return `${whole} ms`;
  if (whole < 60_000) return `${Number((whole / 1_000).toFixed(3))} s`;
  const units: [string, number][] = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1_000],
  ];
  const first = units.findIndex(([, size]) => whole >= size);
  let rest = whole;
  const parts = units.slice(first, first + 2).flatMap(([name, size]) => {
    const number = Math.floor(rest / size);
    rest -= number * size;
    return number === 0 ? [] : [`${number} ${name}`];
  });
  return parts.join(' ');
}

export function earlierName({ place, moneyId }: Earlier): string {
  if (place === undefined) return 'a record before the retained history';
  return moneyId === undefined ? placeName(place) : `money ${moneyId} at ${placeName(place)}`;
}

export function decisionWords(decision: PlacedDecision): string {
  switch (decision.type) {
    case 'duplicate':
      return `dropped: a duplicate of ${decision.of.place === undefined ? 'a record before the retained history' : placeName(decision.of.place)}`;
    case 'no-session':
      return 'came out at once: it names no session';
    case 'joined':
      return `joined with its session at ${placeName(decision.session)}`;
    case 'lookup':
      return `to be looked up: ${
        {
          'old-money': 'it is old money',
          'session-expired': 'its session has expired',
          'late-and-unknown': 'it is late and its session is not known',
        }[decision.why]
      }`;
    case 'pending':
      return `pending: its session is not known yet; until event time ${isoOf(decision.dueAt)}${decision.wallDueAt === undefined ? '' : ` or wall clock ${isoOf(decision.wallDueAt)}`}`;
    default:
      return decision satisfies never;
  }
}

export function releaseWords(by: Release): string {
  switch (by.type) {
    case 'session':
      return by.expired
        ? `its session came (${placeName(by.session)}), expired already: to be looked up`
        : `its session came (${placeName(by.session)}): joined`;
    case 'event-time':
      return `the pending timeout passed in event time (${isoOf(by.reached)} reached by ${by.by === undefined ? 'the watermark' : placeName(by.by)}): to be looked up`;
    case 'wall-clock':
      return 'the pending timeout passed on the wall clock: to be looked up';
    default:
      return by satisfies never;
  }
}

/** What this code does, and what is recorded. */
export function differenceWords({ recorded, now, why }: Omit<Departure, 'event'>): string {
  const said = (commands: readonly string[]): string => (commands.length === 0 ? 'nothing' : commands.join(', '));
  return `another version of the product wrote its history. A task is recorded to have led to ${said(recorded)}; by these rules it leads to ${said(now)}${why === undefined ? '' : ` (${printable(why)})`}`;
}

/** One line of the time line without its times; and the event time and place it is about. */
export function happeningWords(told: Happening): {
  readonly ts?: number;
  readonly place?: string;
  readonly text: string;
} {
  switch (told.type) {
    case 'run':
      if (told.beginning === 'first') return { text: 'the first run begins' };
      if (told.beginning === 'oldest-retained') return { text: 'the oldest retained run begins, with state of before' };
      return {
        text: `the next run begins${told.agrees === false ? ': ITS STATE DIFFERS from what these rules make of the run before' : ''}`,
      };
    case 'redelivery':
      return { ...of(told.record), text: `${told.kind} again: a redelivery, dropped` };
    case 'change':
      return { ...of(told.record), text: `${told.field} ${printable(told.value)}${lateness(told.record)}` };
    case 'session':
      return {
        ...of(told.record),
        text: `session ${told.sessionId} from ${printable(told.clientCountryCode)}${told.outdated ? ', ignored: a newer record of it is known' : ''}${lateness(told.record)}`,
      };
    case 'money':
      return {
        ...of(told.record),
        text: `money ${told.money.id} ${printable(told.money.moneyType)}${lateness(told.record)}: ${decisionWords(told.decision)}${told.joined?.firstOccurrence ? ' [first of its type]' : ''}`,
      };
    case 'carried':
      return {
        place: placeName(told.place),
        text: `carried from before: ${told.waiting.type === 'unpublished' ? 'an output to be published' : told.waiting.type === 'lookup' ? 'money to be looked up' : 'pending money'}`,
      };
    case 'released':
      return { place: placeName(told.place), text: `money ${told.moneyId}: ${releaseWords(told.by)}` };
    case 'lookup-asked':
      return { text: `lookup of ${told.sessionIds.join(', ')} for ${told.of.map(placeName).join(', ') || 'nothing'}` };
    case 'lookup-ended':
      return {
        text: `lookup ended after ${told.attempts} attempt${told.attempts === 1 ? '' : 's'}: ${told.answers.map(({ moneyId, status }) => `money ${moneyId} ${status}`).join(', ')}`,
      };
    case 'publish-asked':
      return {
        text: `publishing ${told.stream} ${numbers(told.first, told.of.length)}: ${told.of.map(placeName).join(', ')}`,
      };
    case 'published':
      return {
        text: `published ${told.stream} ${numbers(told.first, told.of.length)}: ${told.of.map(placeName).join(', ')}`,
      };
    case 'watermark':
      return { text: `the watermark has reached ${isoOf(told.watermark)}` };
    case 'task-failed':
      return { text: `a workflow task failed, and is repeated: ${printable(told.message)}` };
    case 'differs':
      return { text: `THE RUN IS NOT FOLLOWED from here on: ${differenceWords(told)}` };
    case 'closed':
      return { text: `THE WORKFLOW WAS CLOSED: ${told.how}` };
    case 'unapplied':
      return {
        ts: told.record.ts,
        place: placeName(told.record),
        text: `${told.kind} received, and not applied by a worker yet`,
      };
    default:
      return told satisfies never;
  }
}

function of(record: Coordinate & { readonly ts: number }): { readonly ts: number; readonly place: string } {
  return { ts: record.ts, place: placeName(record) };
}

function lateness({ ts, late }: { readonly ts: number; readonly late?: number }): string {
  return late === undefined ? '' : ` (${lasting(late - ts)} late)`;
}

function numbers(first: number, count: number): string {
  return count === 1 ? `#${first}` : `#${first} to #${first + count - 1}`;
}
