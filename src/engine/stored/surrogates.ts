/**
 * Avro's strings are UTF-8, which has no lone surrogates; JSON has them ("\ud800"), and what a producer sent must come out
 * as it was. In Avro each stands as U+FDD0, which Unicode keeps from text, and its four hex digits; so does U+FDD0 itself.
 */
const MARK = '\ufdd0';
/** `u`: a pair is one character, not two surrogates. */
const TO_ESCAPE = /[\ud800-\udfff\ufdd0]/gu;
const ESCAPED = /\ufdd0(d[89a-f][0-9a-f]{2}|fdd0)/g;
/** What is below has no surrogates and no mark. */
const PLAIN = /^[\0-\ud7ff]*$/;

export function escapeText(text: string): string {
  if (PLAIN.test(text)) return text;
  return text.replace(TO_ESCAPE, (unit) => MARK + unit.charCodeAt(0).toString(16));
}

export function unescapeText(text: string): string {
  if (!text.includes(MARK)) return text;
  return text.replace(ESCAPED, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}
