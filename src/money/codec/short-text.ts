/** Texts that are remembered of a user (semantics, section 6): countries, the year of birth, the type of money. */

/** Characters of Unicode: one outside of the basic plane is one, and so is a lone surrogate. */
export const MAX_CHARACTERS = 1_000;

export function isShortText(text: string): boolean {
  if (text.length <= MAX_CHARACTERS) return true;
  if (text.length > 2 * MAX_CHARACTERS) return false;
  let characters = 0;
  for (const _ of text) characters += 1;
  return characters <= MAX_CHARACTERS;
}
