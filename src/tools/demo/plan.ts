/** What the demo's traffic is put together of: records, each with the time of its arrival. */
import { Random } from '../../engine/random.ts';
import type { MoneyInput } from '../../money/domain/events.ts';
import * as text from '../generate/event-text.ts';
import type { EventText } from '../generate/event-text.ts';
import { UNUSABLE_KINDS, unusableRecord } from '../generate/malformed.ts';
import { DEMO_RULES } from './setup.ts';

export interface PlannedRecord {
  readonly input: MoneyInput;
  readonly key: string | null;
  readonly value: Buffer | null;
  /** When it is to arrive, in event time: epoch ms. */
  readonly arrival: number;
}

/** ms: what is not late arrives so long after its event time at most. */
const DISORDER = 15_000;
/** No divisor of the number of kinds: so that few records already have every reason. */
const KIND_STRIDE = 37;
/** Arrival may be later than planned; a record from the future must be of the future even then. */
const FUTURE_MARGIN = 120 * 60_000;

export class Plan {
  readonly records: PlannedRecord[] = [];
  readonly random: Random;
  readonly #limit: number;
  #unusable = 0;

  constructor(seed: number, limit: number) {
    this.random = new Random(seed);
    this.#limit = limit;
  }

  get full(): boolean {
    return this.records.length >= this.#limit;
  }

  /** `arrival`: soon after its event time when absent. */
  add(event: EventText, ts: number, arrival = ts + this.random.below(DISORDER + 1)): void {
    if (this.full) return;
    const value = Buffer.from(text.render(event.fields));
    this.records.push({ input: event.input, key: text.keyOf(event.userId), value, arrival });
  }

  addUnusable(userId: string, arrival: number): void {
    if (this.full) return;
    const { maxFutureSkew, maxRecordBytes } = DEMO_RULES;
    const index = (this.#unusable * KIND_STRIDE) % UNUSABLE_KINDS.length;
    this.#unusable += 1;
    const context = { random: this.random, userId, timestamp: arrival + FUTURE_MARGIN, maxFutureSkew, maxRecordBytes };
    const { input, key, value } = unusableRecord(index, context);
    this.records.push({ input, key, value, arrival });
  }
}
