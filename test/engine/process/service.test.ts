/** A service says whether it works, joins again when it lost its place, and ends when it is told to stop. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { untilAborted } from '../../../src/engine/clock.ts';
import { CodedError } from '../../../src/engine/errors.ts';
import { silentLogger } from '../../../src/engine/log.ts';
import { Membership, serviceOf, type Service } from '../../../src/engine/process/service.ts';
import { ManualClock } from '../../support/manual-clock.ts';

async function turns(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** A member that has its place at once, and loses it with the error that a test gives. */
function member() {
  const clock = new ManualClock();
  let joins = 0;
  let lose: (error: Error) => void = () => undefined;
  const membership = new Membership({
    clock,
    logger: silentLogger(),
    message: 'again',
    async attempt(joined, stopping) {
      joins += 1;
      const lost = new Promise<never>((_, reject) => (lose = reject));
      joined();
      await Promise.race([lost, untilAborted(stopping)]);
    },
  });
  return { clock, membership, joins: () => joins, lose: (error: Error) => lose(error) };
}

describe('the membership of a service', () => {
  it('has no place until it has joined, and says why it lost it until it has joined again', async () => {
    const { clock, membership, joins, lose } = member();
    assert.equal(membership.problem, 'not joined yet');
    let ready = 0;
    const ended = membership.run(() => (ready += 1));
    await turns();
    assert.deepEqual([membership.problem, ready, joins()], [undefined, 1, 1]);
    lose(new Error('the coordinator is gone'));
    await turns();
    assert.deepEqual([membership.problem, ready, joins()], [undefined, 2, 2]);
    // The back-off of the second time is 1 s.
    lose(new Error('the coordinator is gone again'));
    await turns();
    assert.deepEqual([membership.problem, joins()], ['the coordinator is gone again', 2]);
    clock.advance(1_000);
    await turns();
    assert.deepEqual([membership.problem, ready, joins()], [undefined, 3, 3]);
    membership.stop();
    await ended;
    assert.equal(joins(), 3);
  });

  it('does not join when it was stopped before it ran', async () => {
    const { membership, joins } = member();
    membership.stop();
    await membership.run();
    assert.equal(joins(), 0);
  });

  it('ends with what no retry can mend', async () => {
    const { membership, lose } = member();
    const error = new CodedError('CONFIG', 'wrong');
    const ended = membership.run();
    await turns();
    lose(error);
    await assert.rejects(ended, error);
  });
});

describe('a service that is made when it runs', () => {
  function made() {
    const said: string[] = [];
    let end: () => void = () => undefined;
    const service: Service = {
      async run(onReady) {
        said.push('runs');
        onReady?.();
        await new Promise<void>((resolve) => (end = resolve));
      },
      stop() {
        said.push('stops');
        end();
      },
      notReady: 'busy',
      notLive: 'stuck',
      holds: 3,
    };
    return { service, said };
  }

  it('is what it made from then on', async () => {
    const { service, said } = made();
    const outer = serviceOf(async () => service);
    assert.deepEqual([outer.notReady, outer.notLive, outer.holds], ['not started', undefined, 0]);
    const ended = outer.run(() => void said.push('ready'));
    await turns();
    assert.deepEqual([outer.notReady, outer.notLive, outer.holds], ['busy', 'stuck', 3]);
    outer.stop();
    await ended;
    assert.deepEqual(said, ['runs', 'ready', 'stops']);
  });

  it('does not run what was made after it was told to stop', async () => {
    const { service, said } = made();
    const outer = serviceOf(async () => service);
    const ended = outer.run();
    outer.stop();
    await ended;
    assert.deepEqual(said, []);
  });

  it('ends with what it could not be made for', async () => {
    const error = new CodedError('TOPIC', 'missing');
    await assert.rejects(serviceOf(() => Promise.reject(error)).run(), error);
  });
});
