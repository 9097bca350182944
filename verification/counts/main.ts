/** `npm run counts`: what 1,000 events cost in Temporal's units, for a few kinds of traffic and settings. */
import { count, type Case } from './counted-run.ts';
import { CASES } from './cases.ts';

const rows: Record<string, object> = {};
for (const [name, given] of Object.entries<Case>(CASES)) {
  const counters = await count(given);
  const per = (what: Parameters<typeof counters.of>[0]): number => counters.perThousandEvents(counters.of(what));
  rows[name] = {
    actions: counters.perThousandEvents(counters.actions),
    touches: per('touches'),
    transactions: per('transactions'),
    tasks: per('tasks'),
    'events a touch': Number((counters.of('events signalled') / counters.of('touches')).toFixed(2)),
    timers: per('timer actions'),
    cancelled: per('timers cancelled'),
    looks: per('watermark looks'),
    'new runs': per('continue-as-new actions'),
    'history events': per('history events'),
    'history KB': Math.round(per('history bytes') / 1_000),
  };
}
console.log('Of 1,000 events:');
console.table(rows);
