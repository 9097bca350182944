/**
 * Large JSON objects without what is nested in them: no field that anybody reads is an object or a list, and half a
 * million of them in a field that is ignored take JSON.parse a tenth of a second. They are checked as strictly as it
 * checks them, without making anything.
 */
const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const SMALL_U = 0x75;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const NONE = -1;

/**
 * `{"a":[1,{"b":2}],"c":3}` is `{"a":[],"c":3}`; undefined when something nested is no JSON. The rest is as it was, right
 * or wrong: the result is JSON exactly if `text` is.
 */
export function withoutNested(text: string): string | undefined {
  const parts: string[] = [];
  let kept = 0;
  let at = 0;
  let depth = 0;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(text, at);
      if (at === NONE) break; // JSON.parse says so
    } else if (depth === 1 && (code === OPEN_OBJECT || code === OPEN_ARRAY)) {
      const end = endOfNested(text, at);
      if (end === NONE) return undefined;
      parts.push(text.slice(kept, at), code === OPEN_OBJECT ? '{}' : '[]');
      kept = at = end;
    } else {
      if (code === OPEN_OBJECT || code === OPEN_ARRAY) depth += 1;
      else if (code === CLOSE_OBJECT || code === CLOSE_ARRAY) depth -= 1;
      at += 1;
    }
  }
  return parts.join('') + text.slice(kept);
}

/** What may come next. */
type Expected = 'value' | 'value or end' | 'key' | 'key or end' | 'comma or end';

/** Behind the object or list that begins at `from`; -1 when it is no JSON. Not recursive: it may be as deep as it is long. */
function endOfNested(text: string, from: number): number {
  const open: number[] = [];
  let expected: Expected = 'value';
  let at = from;
  for (;;) {
    at = skipSpace(text, at);
    const code = text.charCodeAt(at);
    if (code === CLOSE_ARRAY || code === CLOSE_OBJECT) {
      const asked = expected === 'comma or end' || expected === (code === CLOSE_ARRAY ? 'value or end' : 'key or end');
      if (!asked || open.pop() !== (code === CLOSE_ARRAY ? OPEN_ARRAY : OPEN_OBJECT)) return NONE;
      at += 1;
      if (open.length === 0) return at;
      expected = 'comma or end';
    } else if (expected === 'comma or end') {
      if (code !== COMMA) return NONE;
      at += 1;
      expected = open.at(-1) === OPEN_OBJECT ? 'key' : 'value';
    } else if (expected === 'key' || expected === 'key or end') {
      at = code === QUOTE ? endOfString(text, at) : NONE;
      if (at === NONE) return NONE;
      at = skipSpace(text, at);
      if (text.charCodeAt(at) !== COLON) return NONE;
      at += 1;
      expected = 'value';
    } else if (code === OPEN_ARRAY || code === OPEN_OBJECT) {
      open.push(code);
      at += 1;
      expected = code === OPEN_ARRAY ? 'value or end' : 'key or end';
    } else {
      at = endOfScalar(text, at, code);
      if (at === NONE) return NONE;
      expected = 'comma or end';
    }
  }
}

function endOfScalar(text: string, at: number, code: number): number {
  if (code === QUOTE) return endOfString(text, at);
  for (const word of ['true', 'false', 'null']) if (text.startsWith(word, at)) return at + word.length;
  return endOfNumber(text, at);
}

/** `from` is at the opening quote. */
function endOfString(text: string, from: number): number {
  let at = from + 1;
  for (;;) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at + 1;
    if (!(code >= 0x20)) return NONE; // also NaN, the end of the text
    at += 1;
    if (code !== BACKSLASH) continue;
    if (text.charCodeAt(at) === SMALL_U) {
      for (let digit = 1; digit <= 4; digit += 1) if (!isHex(text.charCodeAt(at + digit))) return NONE;
      at += 5;
    } else if (at < text.length && '"\\/bfnrt'.includes(text.charAt(at))) at += 1;
    else return NONE;
  }
}

function endOfNumber(text: string, from: number): number {
  let at = text.charCodeAt(from) === MINUS ? from + 1 : from;
  if (text.charCodeAt(at) === ZERO) at += 1;
  else at = endOfDigits(text, at);
  if (at !== NONE && text.charCodeAt(at) === DOT) at = endOfDigits(text, at + 1);
  if (at !== NONE && (text.charCodeAt(at) | 0x20) === 0x65) {
    const sign = text.charCodeAt(at + 1);
    at = endOfDigits(text, sign === PLUS || sign === MINUS ? at + 2 : at + 1);
  }
  return at;
}

/** At least one; -1 when there is none. */
function endOfDigits(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) >= ZERO && text.charCodeAt(at) <= NINE) at += 1;
  return at === from ? NONE : at;
}

function isHex(code: number): boolean {
  const letter = code | 0x20;
  return (code >= ZERO && code <= NINE) || (letter >= 0x61 && letter <= 0x66);
}

function skipSpace(text: string, from: number): number {
  let at = from;
  for (;;) {
    const code = text.charCodeAt(at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return at;
    at += 1;
  }
}
