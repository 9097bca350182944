/**
 * Stops the reading of a partition triple before a stream of unusable records, a producer's bad release, has gone into the dead letters: when
 * more than a share of the last records of one input would be unusable. What was released by a person passes. Pure.
 */
import type { InputOffsets } from './decoded.ts';
import type { InputIndex } from './watermark.ts';

export interface BrakeSettings {
  /** Of the records looked at, above 0 and at most 1. */
  readonly share: number;
  /** The last so many of each input and partition, usable or not. */
  readonly records: number;
}

/** Where it stopped: the record at this offset was not read. */
export interface Stop {
  readonly input: InputIndex;
  readonly offset: number;
  /** Of the last {@link BrakeSettings.records}, that record included. */
  readonly unusable: number;
  readonly records: number;
}

/** Of one input. */
interface Last {
  /** 1 for an unusable one; a ring. */
  readonly isUnusable: Uint8Array;
  at: number;
  unusable: number;
}

export class Brake {
  readonly #settings: BrakeSettings;
  readonly #releasedBelow: InputOffsets;
  readonly #last = new Map<InputIndex, Last>();

  constructor(settings: BrakeSettings, releasedBelow: InputOffsets) {
    this.#settings = settings;
    this.#releasedBelow = releasedBelow;
  }

  /** Undefined: the record may be read, and counts among the last ones. */
  stopBefore(input: InputIndex, offset: number, isUsable: boolean): Stop | undefined {
    const { share, records } = this.#settings;
    if (offset < (this.#releasedBelow[input] ?? 0)) return undefined;
    const last = this.#lastOf(input);
    const oldest = last.isUnusable[last.at]!;
    const unusable = last.unusable - oldest + (isUsable ? 0 : 1);
    if (!isUsable && unusable > share * records) return { input, offset, unusable, records };
    last.unusable = unusable;
    last.isUnusable[last.at] = isUsable ? 0 : 1;
    last.at = (last.at + 1) % records;
    return undefined;
  }

  #lastOf(input: InputIndex): Last {
    let last = this.#last.get(input);
    if (last === undefined) {
      last = { isUnusable: new Uint8Array(this.#settings.records), at: 0, unusable: 0 };
      this.#last.set(input, last);
    }
    return last;
  }
}
