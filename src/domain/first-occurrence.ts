/**
 * Money types are remembered for ever, so what is kept of one has a fixed length: the type itself when it is short, its
 * digest otherwise. No type is kept under the name of another: what looks like a digest is digested too.
 */
import { sha256OfText } from './sha-256.ts';

/** UTF-16 code units of a type that is kept as it is. */
const MAX_LENGTH = 64;
const DIGEST = 'sha256:';

/** True for the first money applied with this type; decided at the application, remembered for ever. */
export function noteFirstOccurrence(moneyTypes: string[], moneyType: string): boolean {
  const kept = moneyType.length > MAX_LENGTH || moneyType.startsWith(DIGEST) ? `${DIGEST}${sha256OfText(moneyType)}` : moneyType;
  if (moneyTypes.includes(kept)) return false;
  moneyTypes.push(kept);
  return true;
}
