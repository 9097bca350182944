/** The publisher of tests: an output is written once, by its number, and whoever asks again must ask for the same. */
export class Ledger {
  readonly #outputs: string[] = [];

  /** JSON of all outputs, in order. */
  get outputs(): readonly string[] {
    return this.#outputs;
  }

  /** `request`: JSON of a publish request. What was not published before. Throws for a gap, and for another output under the same number. */
  publish(request: string): string[] {
    const { first, outputs } = JSON.parse(request) as {
      readonly first: number;
      readonly outputs: readonly { readonly record: unknown }[];
    };
    if (first > this.#outputs.length + 1) {
      throw new Error(`the engine publishes output ${first} after ${this.#outputs.length}`);
    }
    return outputs.flatMap(({ record }, index) => {
      const text = JSON.stringify(record);
      const published = this.#outputs[first - 1 + index];
      if (published === undefined) {
        this.#outputs.push(text);
        return [text];
      }
      if (published !== text) {
        throw new Error(
          `output ${first + index} is published, and is another one when it is emitted again: ${text}, not ${published}`,
        );
      }
      return [];
    });
  }
}
