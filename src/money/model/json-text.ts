/**
 * The model's own JSON reader. It keeps the text of every number, which `JSON.parse` loses. `JSON.parse` is used only
 * to judge whether a text is JSON at all and to unescape strings; the fields are cut out of the (then valid) text here.
 */

/** A value of a top-level field: its exact text, and what kind of value that text is. */
export interface Token {
  readonly kind: 'string' | 'number' | 'boolean' | 'null' | 'nested';
  readonly text: string;
}

const SPACE = /[ \t\n\r]*/y;
const SCALAR = /[^,\]}\s]+/y;

function match(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  return pattern.test(text) ? pattern.lastIndex : from;
}

/** End of a string that begins at `from`. A loop, since a pattern would need stack for a long string. */
function endOfString(text: string, from: number): number {
  let at = from + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

/** End of an object or array that begins at `from`: counts brackets, steps over strings. */
function endOfNested(text: string, from: number): number {
  let depth = 0;
  let at = from;
  do {
    const c = text[at];
    if (c === '"') {
      at = endOfString(text, at);
      continue;
    }
    if (c === '{' || c === '[') depth += 1;
    if (c === '}' || c === ']') depth -= 1;
    at += 1;
  } while (depth > 0);
  return at;
}

function tokenAt(text: string, from: number): { token: Token; end: number } {
  const first = text[from] as string;
  if (first === '{' || first === '[') {
    const end = endOfNested(text, from);
    return { token: { kind: 'nested', text: text.slice(from, end) }, end };
  }
  const end = first === '"' ? endOfString(text, from) : match(SCALAR, text, from);
  const kind =
    first === '"' ? 'string' : first === 'n' ? 'null' : first === 't' || first === 'f' ? 'boolean' : 'number';
  return { token: { kind, text: text.slice(from, end) }, end };
}

/** The fields of a JSON object, the last one of equal names; null when the text is not a JSON object. */
export function readFields(text: string): Map<string, Token> | null {
  try {
    JSON.parse(text);
  } catch {
    return null;
  }
  let at = match(SPACE, text, 0);
  if (text[at] !== '{') return null;
  const fields = new Map<string, Token>();
  at = match(SPACE, text, at + 1);
  while (text[at] !== '}') {
    const name = tokenAt(text, at);
    at = match(SPACE, text, name.end) + 1; // the colon
    const value = tokenAt(text, match(SPACE, text, at));
    fields.set(JSON.parse(name.token.text) as string, value.token);
    at = match(SPACE, text, value.end);
    if (text[at] === ',') at = match(SPACE, text, at + 1);
  }
  return fields;
}
