import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { askBeforeWriting } from '../../src/cli/ask.ts';

function terminal(isTTY: boolean) {
  const input = Object.assign(new PassThrough(), { isTTY }) as unknown as NodeJS.ReadStream & PassThrough;
  const output = Object.assign(new PassThrough(), { isTTY }) as unknown as NodeJS.WriteStream & PassThrough;
  return { input, output };
}

const WHAT = 'generate writes 5 records into a, b, c';

test('nobody is asked about this machine, or after --yes', async () => {
  await askBeforeWriting(['127.0.0.1:9092', 'localhost:29092', '[::1]:1'], WHAT, false, terminal(false));
  await askBeforeWriting(['kafka.bank:9092'], WHAT, true, terminal(false));
});

test('without a terminal it is refused, with brokers and topics', async () => {
  await assert.rejects(askBeforeWriting(['127.0.0.1:1', 'kafka.bank:9092'], WHAT, false, terminal(false)), {
    code: 'CONFIG',
    message:
      'generate writes 5 records into a, b, c of kafka.bank:9092, which is not on this machine, and there is nobody to ask: add --yes if that is what you want',
  });
});

for (const [answer, right] of [
  ['y', true],
  ['Yes', true],
  ['', false],
  ['no', false],
] as const) {
  test(`the answer "${answer}"`, async () => {
    const { input, output } = terminal(true);
    const asked = askBeforeWriting(['a.bank:1', 'b.bank:1'], WHAT, false, { input, output });
    input.write(`${answer}\n`);
    if (right) await asked;
    else await assert.rejects(asked, { code: 'CHECK_FAILED', message: 'nothing was written' });
    assert.match(String(output.read()), /of a\.bank:1, b\.bank:1, which are not on this machine\. Go on\? \[y\/N\] /);
  });
}
