/** The end of a run: no more faults, everything comes out, everything is stopped, and only then it is read and judged. */
import { setTimeout as sleep } from 'node:timers/promises';
import { bridgeGroupOf } from '../../src/engine/naming.ts';
import { messageOf } from '../../src/engine/errors.ts';
import { createKafka } from '../../src/engine/kafka/kafkajs/create-kafka.ts';
import { silentLogger } from '../../src/engine/log.ts';
import type { Expectation } from './apps/app.ts';
import { holdsWithin } from './faults/fault.ts';
import { readAll } from './reader.ts';
import { judge } from './verdict.ts';
import type { Verdict } from './verdict.ts';
import type { World } from './world.ts';

/** ms in which whatever might still come, comes. */
const QUIET = 8_000;
const POLL = 500;

export interface Settled {
  readonly expected: Expectation;
  readonly verdict: Verdict;
  readonly inputs: number;
  readonly outputs: number;
  readonly deadLetters: number;
  /** From the end of the traffic until all that is expected was visible, ms. */
  readonly drained: number;
}

export interface SettleOptions {
  readonly say: (line: string) => void;
  /** ms without progress, beyond what silence is waited for, after which it is judged as it is. */
  readonly patience: number;
  /** Questions may have been given up, for who is asked was away for longer than they last. */
  readonly givenUp: boolean;
}

export async function settle(world: World, { say, patience, givenUp }: SettleOptions): Promise<Settled> {
  const { app, kafka, traffic, progress, follower, seenLive } = world;
  const topics = app.topics.inputs;
  const brokers = kafka.brokers.join();
  await traffic.end();
  const ended = Date.now();
  say(`The traffic has ended: ${traffic.written} records written. Waiting for all of it to come out ...`);
  const inputs = await Promise.race([readAll(brokers, topics), follower.failed]);
  const answered = app.expectation(inputs);
  await whileItMoves(
    world,
    patience,
    () => progress.outputs >= answered.outputs.length && world.deadLetters >= answered.deadLetters.length,
  );
  const drained = Date.now() - ended;
  if (progress.outputs < answered.outputs.length) await explain(world, say);
  await committed(world, topics, patience);
  await sleep(QUIET);
  const exits = await Promise.all(
    [...world.slots, world.visitor].map(async (slot) => [slot.name, await slot.terminate()] as const),
  );
  for (const [name, exit] of exits) {
    if (exit !== undefined && exit.code !== 0) say(`${name} ended with ${JSON.stringify(exit)} at SIGTERM`);
  }
  await whileItMoves(world, patience, async () => (await world.eye.openEverywhere()).length === 0);
  const { output, deadLetter } = app.topics;
  const records = await readAll(brokers, [output, deadLetter]);
  const [outputs, deadLetters] = [
    records.filter(({ topic }) => topic === output),
    records.filter(({ topic }) => topic === deadLetter),
  ];
  const expected = givenUp ? app.expectation(inputs, outputs) : answered;
  const verdict = judge(expected, { inputs, outputs, deadLetters, seenLive });
  return {
    expected,
    verdict,
    inputs: inputs.length,
    outputs: outputs.length,
    deadLetters: deadLetters.length,
    drained,
  };
}

/** Until it holds, or nothing has come out for too long: the verdict says what is missing then. */
async function whileItMoves(
  { progress, app }: World,
  patience: number,
  check: () => boolean | Promise<boolean>,
): Promise<void> {
  const begun = Date.now();
  await holdsWithin(
    24 * 3_600_000,
    async () => (await check()) || Date.now() - Math.max(begun, progress.lastAt) > app.idleTimeout + patience,
    POLL,
  );
}

/** Not everything came out: what the workflows wait for tells why, and is gone when all is stopped. */
async function explain({ temporalEye, app, slots }: World, say: (line: string) => void): Promise<void> {
  try {
    const waiting = await temporalEye.waiting();
    say(`not everything has come out; ${waiting.length} workflows wait for something`);
    for (const line of waiting.slice(0, 20)) say(line);
    for (const line of waiting.slice(0, 3)) {
      for (const event of await temporalEye.history(line.slice(0, line.indexOf(':')))) say(event);
    }
    for (const slot of slots) say(`${slot.name} of ${app.appId}: ${await slot.ready()}`);
  } catch (error) {
    say(`what the workflows wait for cannot be seen: ${messageOf(error)}`);
  }
}

/** All but the last closing beat, which only silence brings out. */
async function committed(world: World, topics: readonly string[], patience: number): Promise<void> {
  const port = createKafka(world.kafka, silentLogger());
  const partitions = topics.flatMap((topic) =>
    [...Array(world.partitions).keys()].map((partition) => ({ topic, partition })),
  );
  try {
    await holdsWithin(
      world.app.idleTimeout + patience,
      async () => {
        const [offsets, ends] = await Promise.all([
          port.committedOffsets(bridgeGroupOf(world.app.appId), partitions),
          port.endOffsets(partitions),
        ]);
        return ends.every(({ end }, index) => (offsets[index]?.offset ?? 0) >= end - 1);
      },
      POLL,
    );
  } finally {
    await port.close();
  }
}
