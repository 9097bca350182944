/** Declares the tests of the suite, each for as much of a Kafka as it needs. */
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Ability, KafkaUnderTest, Lab, Runner } from './kafka-under-test.ts';

/** `needs`: without these the test is skipped. */
export type Declare = (title: string, needs: readonly Ability[], body: (kafka: Lab) => Promise<void>) => void;

export function declaring(run: Runner): Declare {
  return (title, needs, body) => {
    test(title, (t) =>
      run(t, async (kafka) => {
        const missing = needs.filter((need) => kafka[need] === undefined);
        if (missing.length > 0) t.skip(`it needs ${missing.join(' and ')}`);
        else await body(labOf(kafka));
      }),
    );
  };
}

function labOf(kafka: KafkaUnderTest): Lab {
  const absent = (): never => {
    throw new Error('a test of the suite does not say what it needs');
  };
  return {
    uniqueId: (prefix) => `${prefix}-${randomUUID()}`,
    sleep: (ms) => pause(ms),
    now: () => Date.now(),
    kill: absent,
    restart: absent,
    deleteBefore: absent,
    losing: absent,
    transactionTimeout: NaN,
    ...kafka,
  };
}
