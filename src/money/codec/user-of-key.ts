/** What the key of an input record says (semantics, section 1): a user id, bare or in double quotes. */
/** For the end of the sentence that says that there are users in two partitions, of commands that have the option. */
export const ALLOW_SPLIT_USERS = '; or go on knowingly with --allow-split-users. Nothing was started or written';

const QUOTE = 0x22;
const USER_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The user of a key, in lower case; undefined for a key that no record can be used with. */
export function userOfKey(key: Buffer | null): string | undefined {
  if (key === null || (key.length !== 36 && key.length !== 38)) return undefined;
  const quoted = key.length === 38;
  if (quoted && (key[0] !== QUOTE || key[37] !== QUOTE)) return undefined;
  const text = key.toString('latin1', quoted ? 1 : 0, quoted ? 37 : 36).toLowerCase();
  return USER_ID.test(text) ? text : undefined;
}
