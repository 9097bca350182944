/** A transaction's worth: far below Kafka's 1 MB a request and Temporal's 2 MB a payload. */
const MAX_OUTPUTS = 500;
const MAX_CHARACTERS = 400_000;

/** Splits outputs, in order, into pieces that fit one publish. One output alone always fits one. */
export function chunksOf<Output extends object>(outputs: readonly Output[]): Output[][] {
  const chunks: Output[][] = [];
  let characters = 0;
  for (const output of outputs) {
    const size = JSON.stringify(output).length;
    const last = chunks.at(-1);
    if (last === undefined || last.length >= MAX_OUTPUTS || characters + size > MAX_CHARACTERS) {
      chunks.push([output]);
      characters = size;
    } else {
      last.push(output);
      characters += size;
    }
  }
  return chunks;
}

/** Whether a chunk, which then is a single output, is too large to be the input of an activity in history. */
export function isLarge(chunk: readonly object[]): boolean {
  return chunk.length === 1 && JSON.stringify(chunk).length > MAX_CHARACTERS;
}
