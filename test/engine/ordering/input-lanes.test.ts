import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from '../../../src/engine/clock.ts';
import type { RecordBatch } from '../../../src/engine/kafka/port.ts';
import { silentLogger } from '../../../src/engine/log.ts';
import { InputLanes, type PartitionReading } from '../../../src/engine/ordering/input-lanes.ts';
import { jsonDecoders } from '../../../src/engine/values/value.ts';

const TOPICS = ['a', 'b'];

/** Reads partition 0 of two inputs, and writes down what the member is told. */
class Given {
  readonly calls: string[] = [];
  readonly gaps: string[] = [];
  readonly offered: string[] = [];
  next = [0, 0];
  ends = [Infinity, Infinity];
  closed = false;
  size = 0;
  goOn = true;
  reading: PartitionReading<string> | undefined = this.begin();

  readonly lanes = new InputLanes<string>({
    inputTopics: TOPICS,
    decode: (_, { value }) => ({ ok: true, key: 'k', ts: 1, event: String(value), urgent: true }),
    maxRecordBytes: 100,
    member: {
      pause: (topic) => void this.calls.push(`pause ${topic}`),
      resume: (topic) => void this.calls.push(`resume ${topic}`),
      seek: (topic, _, offset) => void this.calls.push(`seek ${topic} ${offset}`),
    },
    decoders: jsonDecoders,
    clock: systemClock,
    logger: silentLogger(),
    ended: new AbortController().signal,
    limit: { records: 10, bytes: 1_000 },
    reading: (partition) => (partition === 0 ? this.reading : undefined),
    onGap: (_, input, from, to) => {
      this.gaps.push(`${TOPICS[input]} ${from}..${to}`);
      return this.goOn;
    },
    onOffered: () => undefined,
    onFailure: (error) => {
      throw error;
    },
  });

  begin(): PartitionReading<string> {
    return {
      nextFetch: (input) => this.next[input]!,
      offer: (input, records, next) => {
        this.offered.push(`${TOPICS[input]} ${records.map(({ offset }) => offset).join()}`);
        this.next[input] = next;
      },
      queued: () => ({ records: this.size, bytes: 0 }),
      fetched: (input) => this.next[input]! >= this.ends[input]!,
      closed: () => this.closed,
    };
  }

  fetch(topic: string, from: number, count: number, partition = 0): void {
    const records = Array.from({ length: count }, (_, index) => ({
      offset: from + index,
      timestamp: 1,
      key: null,
      value: Buffer.from('v'),
    }));
    this.lanes.offer({
      topic,
      partition,
      fetchedFrom: from,
      next: from + count,
      end: 1_000,
      records,
    } satisfies RecordBatch);
  }
}

describe('the reader of the inputs', () => {
  it('hands on what follows where the last batch ended', () => {
    const given = new Given();
    given.fetch('a', 0, 2);
    given.fetch('b', 0, 1);
    given.fetch('a', 2, 1);
    assert.deepEqual([given.offered, given.calls, given.gaps], [['a 0,1', 'b 0', 'a 2'], [], []]);
  });

  it('reads nothing twice: what was fetched before a seek is fetched again from where it goes on', () => {
    const given = new Given();
    given.next = [5, 0];
    given.fetch('a', 3, 4);
    assert.deepEqual([given.offered, given.calls], [[], ['seek a 5']]);
  });

  it('says of records that went before they were read, and goes on behind them or not', () => {
    const given = new Given();
    given.fetch('a', 4, 1);
    given.goOn = false;
    given.fetch('b', 7, 1);
    assert.deepEqual([given.gaps, given.offered], [['a 0..4', 'b 0..7'], ['a 4']]);
  });

  it('drops what is of no reading, of an earlier one, or of a log that was cut', () => {
    const given = new Given();
    given.fetch('a', 0, 1, 1);
    given.closed = true;
    given.fetch('a', 0, 1);
    given.reading = undefined;
    given.fetch('a', 0, 1);
    assert.deepEqual([given.offered, given.calls], [[], []]);
  });

  it('fetches while there is room, below half of the limit again, and never what is fetched to its end', () => {
    const given = new Given();
    given.size = 10;
    given.fetch('a', 0, 1);
    assert.deepEqual(given.calls, ['pause a', 'pause b']);
    given.size = 5;
    given.lanes.balance(0);
    assert.deepEqual(given.calls.splice(0), ['pause a', 'pause b'], 'half is not below half');
    given.size = 4;
    given.ends = [1, Infinity];
    given.lanes.balance(0);
    assert.deepEqual(given.calls, ['resume b']);
  });

  it('holds a partition until all that hold it have let go; a new assignment begins without holds', () => {
    const given = new Given();
    given.lanes.hold(0, 'taken');
    given.lanes.hold(0, 'full');
    given.lanes.release(0, 'taken');
    assert.deepEqual(given.calls.splice(0), ['pause a', 'pause b']);
    given.lanes.release(0, 'full');
    assert.deepEqual(given.calls.splice(0), ['resume a', 'resume b']);
    given.lanes.hold(0, 'taken');
    given.lanes.reset();
    given.lanes.hold(0, 'taken');
    assert.deepEqual(given.calls, ['pause a', 'pause b', 'pause a', 'pause b'], 'the member is told again');
  });
});
