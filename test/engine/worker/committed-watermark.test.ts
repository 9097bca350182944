/** Thousands of workflows that wait for the watermark of one partition, and what they ask of Kafka. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import { createReadWatermark } from '../../../activities/read-watermark.ts';
import { shortName, type Ahead } from '../../../src/engine/ordering/ahead.ts';
import { encodeMetadata } from '../../../src/engine/ordering/checkpoint.ts';
import { createCommittedWatermark } from '../../../src/engine/worker/committed-watermark.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const TOPICS = ['user', 'session', 'wallet'];
const HOUR = 3_600_000;

class Kafka {
  readonly clock = new ManualClock();
  watermark = 1_000_000;
  ahead: Ahead | undefined;
  looks = 0;
  underWay = 0;
  most = 0;
  answer: () => Promise<void> = async () => undefined;

  readonly read = createCommittedWatermark(
    {
      committedOffsets: async (_, partitions) => {
        this.looks += 1;
        this.most = Math.max(this.most, (this.underWay += 1));
        await this.answer().finally(() => (this.underWay -= 1));
        return partitions.map((place) => ({
          ...place,
          offset: 1,
          metadata: encodeMetadata({
            maxTs: this.watermark,
            watermark: this.watermark,
            deadLettersBelow: 0,
            ...(this.ahead && { ahead: this.ahead }),
          }),
        }));
      },
    },
    this.clock,
    'group',
    TOPICS,
    (key) => `app/${key}`,
  );
}

/** Users that wait as Temporal has them retry: after the delay of the failure, or else 2 s, 3 s ... 15 s. Returns attempts of one minute. */
async function oneMinute(kafka: Kafka, users: number, passes: number): Promise<number> {
  const readWatermark = createReadWatermark({ committedWatermark: kafka.read });
  const next = Array.from({ length: users }, (_, user) => ({ at: (user * 7) % 15_000, tries: 0, over: true }));
  let attempts = 0;
  const from = kafka.clock.elapsed();
  for (let now = 0; now < 60_000; now += 500) {
    for (const user of next) {
      if (!user.over || user.at > now) continue;
      attempts += 1;
      user.over = false;
      readWatermark({ partition: 3, passes }).catch((error: unknown) => {
        const own = Math.min(15_000, 2_000 * 1.5 ** user.tries);
        const delay = error instanceof ApplicationFailure ? (error.nextRetryDelay as number | undefined) : undefined;
        user.at = kafka.clock.elapsed() - from + (delay ?? own);
        user.tries += 1;
        user.over = true;
      });
    }
    await turn();
    await turn();
    kafka.clock.advance(500);
    await turn();
  }
  return attempts;
}

describe('5,000 users with pending money wait for the watermark of one partition', () => {
  it('they cause one look a second, one at a time', async () => {
    const kafka = new Kafka();
    await oneMinute(kafka, 5_000, kafka.watermark + 5_000);
    assert.ok(kafka.looks <= 60, `${kafka.looks} looks`);
    assert.equal(kafka.most, 1);
  });

  it('whose deadline is an hour away: two or three attempts of each a minute', async () => {
    const kafka = new Kafka();
    const attempts = await oneMinute(kafka, 5_000, kafka.watermark + HOUR);
    assert.ok(attempts <= 15_000, `${attempts} attempts`);
  });

  it('a Kafka that refuses is asked once in 5 s, and all are told', async () => {
    const kafka = new Kafka();
    kafka.answer = () => Promise.reject(new Error('not coordinator'));
    await oneMinute(kafka, 5_000, kafka.watermark + 5_000);
    assert.ok(kafka.looks <= 13, `${kafka.looks} looks`);
  });

  it('a Kafka that hangs is asked once, and nobody is held for longer than 4 s', async () => {
    const kafka = new Kafka();
    kafka.answer = () => new Promise(() => undefined);
    const first = assert.rejects(kafka.read(3), /watermark of partition 3 within 4 s/);
    kafka.clock.advance(4_000);
    await first;
    await assert.rejects(kafka.read(3), /within 4 s/);
    await oneMinute(kafka, 5_000, kafka.watermark + 5_000);
    assert.equal(kafka.looks, 1);
  });

  it('an answer that comes late serves those who ask after it', async () => {
    const kafka = new Kafka();
    let tell = (): void => undefined;
    kafka.answer = () => new Promise((resolve) => (tell = resolve));
    const first = assert.rejects(kafka.read(3), /within 4 s/);
    kafka.clock.advance(6_000);
    await first;
    tell();
    await turn();
    assert.equal(await kafka.read(3), 1_000_000);
    assert.equal(kafka.looks, 1);
  });

  it('a partition whose look hangs holds up no other', async () => {
    const kafka = new Kafka();
    kafka.answer = () => new Promise(() => undefined);
    void kafka.read(3).catch(() => undefined);
    kafka.answer = async () => undefined;
    assert.equal(await kafka.read(4), 1_000_000);
  });
});

describe('when a user that waits for the watermark looks again', () => {
  const delayOf = async (watermark: number | null, passes: number) => {
    const failure: unknown = await createReadWatermark({ committedWatermark: async () => watermark })({
      partition: 0,
      passes,
    }).catch((error: unknown) => error);
    return (failure as ApplicationFailure).nextRetryDelay ?? undefined;
  };

  it('an hour away, or not known yet: after 30 s, because a bridge that catches up is fast', async () => {
    assert.equal(await delayOf(1_000_000, 1_000_000 + HOUR), 30_000);
    assert.equal(await delayOf(null, 1_000_000), 30_000);
  });

  it('20 s away: when it can be passed', async () => {
    assert.equal(await delayOf(1_000_000, 1_020_000), 20_000);
  });

  it('near, or reached and not passed: at the pace of the call', async () => {
    assert.equal(await delayOf(1_000_000, 1_015_000), undefined);
    assert.equal(await delayOf(1_000_000, 1_000_000), undefined);
  });
});

describe('the watermark of a partition in which one user waits', () => {
  it('goes on for all but that user, and for workflows of releases that do not say whose they are', async () => {
    const kafka = new Kafka();
    kafka.ahead = { next: [1, 2, 3], watermark: 5_000_000, except: [shortName('app/waits')] };
    assert.deepEqual(
      await Promise.all([kafka.read(0, 'another'), kafka.read(0, 'waits'), kafka.read(0)]),
      [5_000_000, 1_000_000, 1_000_000],
    );
    assert.equal(kafka.looks, 1);
  });
});
