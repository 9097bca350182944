/** A reporter of node:test that ends the process at the first test that fails: the others would say nothing new. */
import type { TestEvent } from 'node:test/reporters';

export default async function* firstFailure(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const { type, data } of events) {
    if (type !== 'test:fail') continue;
    yield `${data.file}: ${data.name}\n${String(data.details.error.cause ?? data.details.error)}\n`;
    process.exit(1);
  }
}
