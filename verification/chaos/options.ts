/** The command line. Errors: with one line that says what to change. */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { APPS } from './apps/app.ts';
import type { AppName } from './apps/app.ts';
import { KINDS, kindsFor, PAUSE } from './plan.ts';
import type { Kind } from './plan.ts';
import { PARTS } from './outage.ts';
import type { Part } from './outage.ts';

export interface ChaosOptions {
  readonly app: AppName;
  readonly minutes: number;
  readonly seed: number;
  /** No more faults than these. */
  readonly faults: number;
  readonly kinds: readonly Kind[];
  /** ms of peace before each, at most. */
  readonly pause: number;
  /** One, or three that replicate. */
  readonly brokers: 1 | 3;
  /** Records a second. */
  readonly rate: number;
  readonly users: number;
  /** Checkout of the product. */
  readonly product: string;
  /** For logs and the record of the run; a fresh folder when absent. */
  readonly out: string | undefined;
  /** ms without any progress at the end, after which it is judged as it is. */
  readonly patience: number;
  /** This part is away for so long (ms), once, instead of a plan of faults. */
  readonly outage: { readonly part: Part; readonly lasts: number } | undefined;
  /** ms of more input than can be done, instead of a plan of faults. */
  readonly overload: number | undefined;
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export const USAGE = `npm run chaos -- [--app ${APPS.join('|')}] [--minutes M] [--seed S] [--faults N] [--kinds a,b] [--pause 1s] [--brokers 1|3] [--rate R] [--users U] [--product DIR] [--out DIR] [--patience 3m]
       npm run chaos -- --outage ${PARTS.join('|')} --for 5m
       npm run chaos -- --overload 10m [--rate R] [--users U]
kinds: ${KINDS.join(', ')}`;

/** Records a second. Each order is a workflow of its own, which goes on to live. */
const RATE: Readonly<Record<AppName, string>> = { money: '50', orders: '20' };
/** Records a second and users of an overload. */
const FLOOD = { rate: '5000', users: '500' };

export function optionsOf(args: readonly string[]): ChaosOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      app: { type: 'string', default: 'money' },
      minutes: { type: 'string', default: '5' },
      seed: { type: 'string', default: '1' },
      faults: { type: 'string', default: '1000000' },
      kinds: { type: 'string' },
      pause: { type: 'string' },
      brokers: { type: 'string', default: '3' },
      rate: { type: 'string' },
      users: { type: 'string' },
      outage: { type: 'string' },
      for: { type: 'string', default: '5m' },
      overload: { type: 'string' },
      patience: { type: 'string', default: '3m' },
      product: { type: 'string', default: ROOT },
      out: { type: 'string' },
    },
  });
  const app = APPS.find((name) => name === values.app);
  if (app === undefined) throw new Error(`--app: "${values.app}" is none of ${APPS.join(', ')}`);
  const brokers = Number(values.brokers);
  if (brokers !== 1 && brokers !== 3) throw new Error(`--brokers is "${values.brokers}": expected 1 or 3`);
  const possible: readonly string[] = kindsFor(brokers);
  const kinds = values.kinds?.split(',') ?? possible;
  for (const kind of kinds) {
    if (!possible.includes(kind)) throw new Error(`--kinds: "${kind}" is none of ${possible.join(', ')}`);
  }
  const { outage: part } = values;
  if (part !== undefined && !(PARTS as readonly string[]).includes(part)) {
    throw new Error(`--outage: "${part}" is none of ${PARTS.join(', ')}`);
  }
  const lasts = duration('for', values.for);
  const overload = values.overload === undefined ? undefined : duration('overload', values.overload);
  return {
    app,
    pause: values.pause === undefined ? PAUSE : duration('pause', values.pause),
    outage: part === undefined ? undefined : { part: part as Part, lasts },
    overload,
    patience: duration('patience', values.patience),
    minutes: number('minutes', values.minutes, 0.1),
    seed: number('seed', values.seed, 0),
    faults: number('faults', values.faults, 1),
    kinds: kinds as readonly Kind[],
    brokers,
    rate: number('rate', values.rate ?? (overload === undefined ? RATE[app] : FLOOD.rate), 20),
    users: number('users', values.users ?? (overload === undefined ? '60' : FLOOD.users), 4),
    product: resolve(values.product),
    out: values.out === undefined ? undefined : resolve(values.out),
  };
}

function number(name: string, text: string, least: number): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= least)) {
    throw new Error(`--${name} is "${text}": expected a number from ${least}`);
  }
  return value;
}

/** `5m`, `90s` as ms. */
function duration(name: string, text: string): number {
  const [, count, unit] = /^(\d+)([sm])$/.exec(text) ?? [];
  if (count === undefined) throw new Error(`--${name} is "${text}": expected a duration such as 90s or 5m`);
  return Number(count) * (unit === 'm' ? 60_000 : 1_000);
}
