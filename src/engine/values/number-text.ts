/**
 * The exact text of numbers in a JSON document, which `JSON.parse` turns into binary floats. The document must be one
 * that `JSON.parse` accepts and whose value is an object: nothing is validated here, and every choice follows
 * `JSON.parse` (the last of several equal keys wins; keys may be written with escapes).
 */

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** For each name: the text of the number that is the top-level member of that name, or null if it is no number. */
export function numberTexts(json: string, names: readonly string[]): (string | null)[] {
  const found: (string | null)[] = names.map(() => null);
  let at = json.indexOf('{') + 1;
  for (;;) {
    at = skipSpace(json, at);
    if (json.charCodeAt(at) === COMMA) at = skipSpace(json, at + 1);
    if (json.charCodeAt(at) !== QUOTE) return found; // the closing brace
    const keyEnd = endOfString(json, at);
    const index = names.indexOf(keyText(json, at, keyEnd));
    at = skipSpace(json, keyEnd);
    if (json.charCodeAt(at) === COLON) at = skipSpace(json, at + 1);
    const end = endOfValue(json, at);
    if (index >= 0) found[index] = startsNumber(json.charCodeAt(at)) ? json.slice(at, end) : null;
    at = end;
  }
}

function keyText(json: string, start: number, end: number): string {
  const raw = json.slice(start + 1, end - 1);
  return raw.includes('\\') ? (JSON.parse(json.slice(start, end)) as string) : raw;
}

function startsNumber(code: number): boolean {
  return code === 0x2d || (code >= 0x30 && code <= 0x39);
}

function skipSpace(json: string, from: number): number {
  let at = from;
  for (;;) {
    const code = json.charCodeAt(at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return at;
    at++;
  }
}

/** `from` is at the opening quote; the result is after the closing one. */
function endOfString(json: string, from: number): number {
  let at = from;
  for (;;) {
    at = json.indexOf('"', at + 1);
    if (at < 0) return json.length;
    let slashes = at;
    while (json.charCodeAt(slashes - 1) === BACKSLASH) slashes--;
    if ((at - slashes) % 2 === 0) return at + 1;
  }
}

function endOfValue(json: string, from: number): number {
  const first = json.charCodeAt(from);
  if (first === QUOTE) return endOfString(json, from);
  if (first === OPEN_OBJECT || first === OPEN_ARRAY) return endOfNested(json, from);
  let at = from;
  while (at < json.length && !endsScalar(json.charCodeAt(at))) at++;
  return at;
}

/** Not recursive: a megabyte of brackets is one value. */
function endOfNested(json: string, from: number): number {
  let depth = 0;
  let at = from;
  while (at < json.length) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(json, at);
      continue;
    }
    at++;
    if (code === OPEN_OBJECT || code === OPEN_ARRAY) depth++;
    else if ((code === CLOSE_OBJECT || code === CLOSE_ARRAY) && --depth === 0) return at;
  }
  return at;
}

function endsScalar(code: number): boolean {
  return code === COMMA || code === CLOSE_OBJECT || code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}
