import assert from 'node:assert/strict';
import { test } from 'node:test';
import { columnsOf, table, windowWidth } from '../../src/cli/table.ts';

const HEADING = ['reason', 'record', 'detail'];
const ROWS = [
  ['late', 'wallet/1/20', 'it came after the watermark had passed'],
  ['malformed', 'wallet/0/3', 'no JSON'],
];

test('in a pipe a table is as wide as it needs', () => {
  assert.equal(
    table(HEADING, ROWS, Infinity),
    `reason     record       detail
late       wallet/1/20  it came after the watermark had passed
malformed  wallet/0/3   no JSON`,
  );
});

test('in a window the last column is folded at spaces', () => {
  assert.equal(
    table(HEADING, ROWS, 45),
    `reason     record       detail
late       wallet/1/20  it came after the
                        watermark had passed
malformed  wallet/0/3   no JSON`,
  );
});

test('in a narrow window each row becomes lines', () => {
  assert.equal(
    table(HEADING, ROWS, 30),
    `reason  late
record  wallet/1/20
detail  it came after the
        watermark had passed

reason  malformed
record  wallet/0/3
detail  no JSON`,
  );
});

test('no line is wider than the window', () => {
  const id = '0a7f5c36-6d0c-4f6e-9a52-0f8f1d3b2c11';
  for (const width of [50, 60, 80, 100]) {
    const text = table(['session', 'money', 'words'], [[id, id, `a ${'long '.repeat(40)}${'x'.repeat(90)}`]], width);
    for (const line of text.split('\n')) assert.ok(line.length <= width, `${line.length} > ${width}: ${line}`);
  }
});

test('columns are counted as a terminal shows them', () => {
  assert.equal(columnsOf('Zoë'), 3);
  assert.equal(columnsOf('Zoe\u0308'), 3);
  assert.equal(columnsOf('漢字'), 4);
  assert.equal(columnsOf('💶'), 2);
  assert.equal(
    table(
      ['a', 'b'],
      [
        ['漢', 'x'],
        ['abc', 'y'],
      ],
      Infinity,
    ),
    'a    b\n漢   x\nabc  y',
  );
});

test('only a terminal has a width', () => {
  assert.equal(windowWidth({ isTTY: true, columns: 40 }), 40);
  assert.equal(windowWidth({ columns: 40 }), Infinity);
});
