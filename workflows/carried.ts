/**
 * How large a user's life is as it is stored, in bytes. What is kept of a user is bounded while records are applied
 * (src/money/domain/bounds.ts); what is owed, lookups and outputs that wait, is what the engine waits for
 * (src/engine/workflow/entity/room.ts).
 */
import { boundedBytes } from '../src/money/domain/bounds.ts';
import { keptOf } from '../src/money/domain/kept.ts';
import { lookupSize, longSize, outputSize, textSize } from '../src/money/domain/stored-size.ts';
import type { EventBatch, Life, Lookup, Output } from '../src/money/domain/types.ts';

/** As it is stored; never less than that. */
export function carriedBytes(life: Life): number {
  const { user, unpublished } = life;
  return (
    boundedBytes(user) + keptOf(user).pending.bytes + redeliverySize(life) + owedBytes(life.user.lookups, unpublished)
  );
}

/** Bytes, at most, of what is owed after a batch and was not before. */
export function growthOf({ user }: Life, { records, partition }: EventBatch): number {
  const longest = (changes: readonly { readonly value: string }[]): number =>
    changes.reduce((most, { value }) => Math.max(most, textSize(value)), 0);
  const info = 2 * (longest(user.birthYear) + longest(user.residentCountryCode));
  let bytes = 0;
  for (const { offset, event } of records) {
    if (event.type === 'money') {
      bytes +=
        outputSize({ partition, offset, enriched: { userId: '', money: event.money, firstOccurrence: true } }) +
        info +
        100;
    }
    if (event.type === 'session') {
      bytes += (user.pending[event.sessionId]?.length ?? 0) * (textSize(event.clientCountryCode) + 60);
    }
  }
  return bytes;
}

const sizes = new WeakMap<Lookup | Output, number>();

function owedBytes(lookups: readonly Lookup[], unpublished: readonly Output[]): number {
  let bytes = 0;
  for (const lookup of lookups) bytes += remembered(lookup, lookupSize);
  for (const output of unpublished) bytes += remembered(output, outputSize);
  return bytes;
}

function remembered<T extends Lookup | Output>(value: T, sizeOf: (value: T) => number): number {
  let size = sizes.get(value);
  if (size === undefined) sizes.set(value, (size = sizeOf(value)));
  return size;
}

/** What the bridge has in flight of this user, as ranges. */
function redeliverySize({ user: { redelivery } }: Life): number {
  let size = 0;
  for (const partition in redelivery) {
    const { lowWater, above } = redelivery[partition]!;
    // Names of the partition and of its logs.
    size += 200;
    for (const offsets of [lowWater, ...above]) for (const offset of offsets) size += longSize(offset);
  }
  return size;
}
