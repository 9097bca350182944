/** The context of a trace in what money hands on. */
import { MAX_FORWARDED } from './forwarded.ts';
import type { Money } from './types.ts';

const TRACEPARENT = 'traceparent';

/** Text of the last one; undefined where there is none. */
export function traceOf({ forwarded }: Pick<Money, 'forwarded'>): string | undefined {
  return forwarded?.headers.findLast(({ name }) => name === TRACEPARENT)?.value;
}

/** The same money with another context, or as it is where there is no room for one. */
export function withTrace<M extends Pick<Money, 'forwarded'>>(money: M, value: string): M {
  const others = money.forwarded?.headers.filter(({ name }) => name !== TRACEPARENT) ?? [];
  if (others.length >= MAX_FORWARDED.headers) return money;
  return { ...money, forwarded: { headers: [{ name: TRACEPARENT, value }, ...others] } };
}
