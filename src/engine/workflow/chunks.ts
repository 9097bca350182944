/** A transaction's worth: far below Kafka's 1 MB a request and Temporal's 2 MB a payload. */
const MAX_OUTPUTS = 500;
const MAX_CHARACTERS = 400_000;

/** Splits outputs, in order, into pieces that fit one publish. One output alone always fits one. */
export function chunksOf<Output extends object>(outputs: readonly Output[]): Output[][] {
  return [...pieces(outputs)];
}

/** The first of these, without a look at what is behind it. */
export function firstChunkOf<Output extends object>(outputs: readonly Output[]): Output[] {
  const [first = []] = pieces(outputs);
  return first;
}

function* pieces<Output extends object>(outputs: readonly Output[]): Generator<Output[]> {
  let piece: Output[] = [];
  let characters = 0;
  for (const output of outputs) {
    const size = JSON.stringify(output).length;
    if (piece.length > 0 && (piece.length >= MAX_OUTPUTS || characters + size > MAX_CHARACTERS)) {
      yield piece;
      piece = [];
      characters = 0;
    }
    piece.push(output);
    characters += size;
  }
  if (piece.length > 0) yield piece;
}

/** Whether a chunk, which then is a single output, is too large to be the input of an activity in history. */
export function isLarge(chunk: readonly object[]): boolean {
  return chunk.length === 1 && JSON.stringify(chunk).length > MAX_CHARACTERS;
}
