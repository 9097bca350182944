/**
 * Money types are remembered for ever, so what is kept of one has a fixed length: the type itself when it is short, its
 * digest otherwise. No type is kept under the name of another: what looks like a digest is digested too.
 */
import { sha256OfText } from './sha-256.ts';
import { moneyTypeSize } from './stored-size.ts';

/** UTF-16 code units of a type that is kept as it is. */
const MAX_LENGTH = 64;
const DIGEST = 'sha256:';

/** The money types of a state, in the order of their first occurrence, with what is derived of them. */
export class MoneyTypes {
  /** As stored. */
  bytes = 0;
  readonly #types: string[];
  readonly #known: Set<string>;

  constructor(types: string[]) {
    this.#types = types;
    this.#known = new Set(types);
    for (const type of types) this.bytes += moneyTypeSize(type);
  }

  get count(): number {
    return this.#types.length;
  }

  /** True for the first money applied with this type; decided at the application, remembered until it makes room. */
  note(moneyType: string): boolean {
    const kept =
      moneyType.length > MAX_LENGTH || moneyType.startsWith(DIGEST) ? `${DIGEST}${sha256OfText(moneyType)}` : moneyType;
    if (this.#known.has(kept)) return false;
    this.#types.push(kept);
    this.#known.add(kept);
    this.bytes += moneyTypeSize(kept);
    return true;
  }

  forgetOldest(): void {
    const type = this.#types.shift();
    if (type === undefined) return;
    this.#known.delete(type);
    this.bytes -= moneyTypeSize(type);
  }
}
