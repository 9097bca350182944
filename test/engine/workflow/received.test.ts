import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Received, type ReceivedBatch } from '../../../src/engine/workflow/received.ts';

const batch = (
  places: readonly (readonly [input: number, offset: number])[],
  more: Partial<ReceivedBatch<string>> = {},
): ReceivedBatch<string> => ({
  key: 'k',
  partition: 0,
  lowWater: [0, 0, 0, 0],
  records: places.map(([input, offset]) => ({ input, offset, ts: 1, event: `${input}/${offset}` })),
  ...more,
});
const events = (received: Received, one: ReceivedBatch<string>) => received.admit(one).map(({ event }) => event);

describe('what a workflow has received', () => {
  it('is returned once, in the order in which it came, of any number of inputs', () => {
    const received = new Received();
    assert.deepEqual(
      events(
        received,
        batch([
          [3, 7],
          [0, 1],
        ]),
      ),
      ['3/7', '0/1'],
    );
    assert.deepEqual(
      events(
        received,
        batch([
          [3, 7],
          [3, 8],
          [0, 1],
          [1, 7],
        ]),
      ),
      ['3/8', '1/7'],
    );
  });

  it('is forgotten below what the bridge had acknowledged, and dropped all the same', () => {
    const received = new Received();
    assert.deepEqual(
      events(
        received,
        batch([
          [0, 5],
          [0, 6],
        ]),
      ),
      ['0/5', '0/6'],
    );
    assert.deepEqual(events(received, batch([[0, 7]], { lowWater: [7, 0, 0, 0] })), ['0/7']);
    assert.deepEqual(received.carried, { 0: { lowWater: [7, 0, 0, 0], above: [[7, 8], [], [], []] } });
    assert.deepEqual(
      events(
        received,
        batch([
          [0, 5],
          [0, 3],
          [0, 7],
        ]),
      ),
      [],
    );
  });

  it('goes on in the next run, from plain JSON', () => {
    const before = new Received();
    before.admit(batch([[0, 5]], { logs: ['a', 'b', 'c', 'd'] }));
    const received = new Received(JSON.parse(JSON.stringify(before.carried)) as typeof before.carried);
    assert.deepEqual(
      events(
        received,
        batch(
          [
            [0, 5],
            [0, 6],
          ],
          { logs: ['a', 'b', 'c', 'd'] },
        ),
      ),
      ['0/6'],
    );
  });

  it('tells the offsets of a topic that was made anew from those of the one before', () => {
    const received = new Received();
    assert.deepEqual(
      events(
        received,
        batch(
          [
            [0, 5],
            [1, 5],
          ],
          { logs: ['a', 'b', 'c', 'd'] },
        ),
      ),
      ['0/5', '1/5'],
    );
    assert.deepEqual(
      events(
        received,
        batch(
          [
            [0, 5],
            [1, 5],
          ],
          { logs: ['anew', 'b', 'c', 'd'] },
        ),
      ),
      ['0/5'],
    );
  });
});
