/** The access list of docs/security.md on Kafka's own authorizer: enough for every process, and no more than that. */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { loadConfig } from '../../src/money/config.ts';
import { type KafkaConfig } from '../../src/engine/kafka/kafka-config.ts';
import { messageOf } from '../../src/engine/errors.ts';
import { createKafka } from '../../src/engine/kafka/kafkajs/create-kafka.ts';
import { createPlainProducer } from '../../src/engine/kafka/kafkajs/producer.ts';
import { ensureTopics } from '../../src/money/topics/topics.ts';
import { fence as takeTransactionalId } from '../../src/engine/kafka/kafkajs/transactional-producer.ts';
import { startProductProcess, type Role } from '../../src/dev/product.ts';
import { createLogger } from '../../src/engine/log.ts';
import { program } from '../cli/program.ts';
import { sharedCluster } from '../support/cluster.ts';
import { startSystem } from '../support/system.ts';
import { accessList, grant, type Row } from './access-list.ts';
import { money, session, STATE } from './canaries.ts';
import { passwordOf, startSecuredBroker } from './secured-broker.ts';

const quiet = createLogger({ level: 'silent' });
/** A user for each process of the list. */
const USERS: Readonly<Record<string, readonly string[]>> = {
  bridge: ['bridge'],
  worker: ['worker'],
  topics: ['topics'],
  doctor: ['doctor'],
  lister: ['dead-letters'],
  retrier: ['dead-letters', 'dead-letters retry, besides'],
  producer: ['producers of the inputs'],
  consumer: ['your consumers'],
  nobody: [],
};

function userOf({ sasl }: KafkaConfig): string {
  assert.ok(sasl !== undefined && 'username' in sasl);
  return sasl.username;
}

test(
  'each process works with its rows of the list, and what is not in them is refused',
  { timeout: 300_000 },
  async (t) => {
    const broker = await startSecuredBroker(Object.keys(USERS));
    const { temporal } = await sharedCluster();
    const system = await startSystem(t, {
      partitions: 1,
      cluster: { brokers: [broker.admin], temporal, release: () => broker.stop() },
      env: { ENRICHMENT_OUT_OF_ORDERNESS: '500ms', ENRICHMENT_IDLE_TIMEOUT: '500ms' },
    });
    const { config, env } = system;
    const { appId, topics } = config;
    const rows = accessList(config);
    assert.deepEqual(
      new Set(rows.map(({ process }) => process)),
      new Set(Object.values(USERS).flat()),
      'every process of the table has a user here',
    );
    for (const [user, processes] of Object.entries(USERS)) {
      const its = rows.filter(({ process }) => processes.includes(process));
      if (its.length > 0) await grant(config.kafka!, user, its);
    }
    const as = (user: string) => ({
      ...env,
      KAFKA_BROKERS: broker.secured,
      KAFKA_SASL_MECHANISM: 'plain',
      KAFKA_SASL_USERNAME: user,
      KAFKA_SASL_PASSWORD: passwordOf(user),
    });
    const kafkaOf = (user: string): KafkaConfig => loadConfig(as(user)).kafka!;

    await test('bridge and worker run end to end', async (t) => {
      for (const role of ['worker', 'bridge'] satisfies Role[]) {
        const started = await startProductProcess(role, { env: as(role), log: (line) => console.error(line) });
        t.after(() => started.stop());
      }
      const ts = Date.now() - 60_000;
      const producer = await createPlainProducer(kafkaOf('producer'), quiet);
      t.after(() => producer.close());
      await producer.send(topics.session, [session(STATE.session, ts)]);
      // Joined, pending until the committed watermark has passed (and then looked up), and a dead letter.
      await producer.send(topics.money, [
        money(1, ts + 1, STATE.session),
        money(2, ts + 2, STATE.unknownSession),
        { key: 'k', value: '{}' },
      ]);
      const until = Date.now() + 60_000;
      while ((system.outputs.length < 1 || system.deadLetters.length < 1) && Date.now() < until) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      assert.equal(system.deadLetters.length, 1);
      assert.ok(system.outputs.length >= 1);
      const kafka = createKafka(kafkaOf('worker'), quiet);
      t.after(() => kafka.close());
      const [committed] = await kafka.committedOffsets(`${appId}-bridge`, [{ topic: topics.money, partition: 0 }]);
      assert.notEqual(committed, undefined, 'the worker may read the committed watermark');
    });

    await test('the commands do their work', async () => {
      const succeeds = async (user: string, ...args: string[]) => {
        const { code, stdout, stderr } = await program(args, as(user));
        assert.equal(code, 0, `${args.join(' ')}: ${stdout}${stderr}`);
        return stdout;
      };
      assert.match(await succeeds('lister', 'dead-letters'), /^1 dead letter in /);
      assert.match(
        await succeeds('retrier', 'dead-letters', 'retry', '--reason', 'unknown-type', '--force'),
        /^1 record put back/,
      );
      const doctor = await program(['doctor'], as('doctor'));
      for (const line of doctor.stdout.split('\n').filter((one) => /permission|topic |Kafka/.test(one))) {
        assert.doesNotMatch(line, /^✗/, line);
      }
      assert.match(doctor.stdout, /✓ permission: transactional ids.*\n✓ permission: consumer groups/);
      // Topics that do not exist yet: those of the list with other names.
      const other = {
        ENRICHMENT_APP_ID: `${appId}-b`,
        ENRICHMENT_WALLET_TOPIC: `${topics.money}-b`,
        ENRICHMENT_USER_TOPIC: `${topics.user}-b`,
        ENRICHMENT_SESSION_TOPIC: `${topics.session}-b`,
        ENRICHMENT_OUTPUT_TOPIC: `${topics.output}-b`,
        ENRICHMENT_DEAD_LETTER_TOPIC: `${topics.deadLetter}-b`,
      };
      await grant(
        config.kafka!,
        'topics',
        accessList(loadConfig({ ...env, ...other })).filter(({ process }) => process === 'topics'),
      );
      const created = await program(['topics', '--partitions', '1', '--shards', '1'], { ...as('topics'), ...other });
      assert.equal(created.code, 0, created.stdout + created.stderr);
    });

    await describe('what is not in the list is refused', () => {
      for (const [user, what, attempt] of denied(config, rows)) {
        test(`${user}: ${what}`, async (t) => {
          await assert.rejects(attempt(kafkaOf(user), t), (error) => {
            assert.match(messageOf(error), /AUTHORIZATION_FAILED|no permission for that group or transactional id/);
            return true;
          });
        });
      }
      test('a wrong password: refused, and not printed', async () => {
        const { code, stderr } = await program(['topics'], {
          ...as('topics'),
          KAFKA_SASL_PASSWORD: 'wrong-canary-7741',
        });
        assert.equal(code, 1);
        assert.match(stderr, /authentication failed/i);
        assert.doesNotMatch(stderr, /canary/);
      });
    });
  },
);

type Attempt = (kafka: KafkaConfig, t: TestContext) => Promise<unknown>;

function denied(
  { appId, topics }: ReturnType<typeof loadConfig>,
  rows: readonly Row[],
): [user: string, what: string, attempt: Attempt][] {
  const write =
    (topic: string): Attempt =>
    async (kafka, t) => {
      const producer = await createPlainProducer(kafka, quiet);
      t.after(() => producer.close());
      await producer.send(topic, [{ key: 'k', value: 'v' }]);
    };
  const fence =
    (id: string): Attempt =>
    async (kafka, t) => {
      const producer = await takeTransactionalId(kafka, id, quiet, { timeout: 3_000 });
      t.after(() => producer.close());
    };
  const join =
    (groupId: string, topic: string): Attempt =>
    async (kafka, t) => {
      const port = createKafka(kafka, quiet);
      t.after(() => port.close());
      const member = port.joinGroup({ groupId, topics: [topic] });
      t.after(() => member.stop());
      await new Promise((resolve, reject) => {
        // Joining is enough for a group; a topic that may only be described is refused when it is fetched.
        const timer = setTimeout(resolve, 5_000);
        t.after(() => clearTimeout(timer));
        member
          .start({ onAssigned: async () => undefined, onRecords: async () => resolve('read'), onCrash: reject })
          .catch(reject);
      });
    };
  const create: Attempt = (kafka) =>
    ensureTopics(
      loadConfig({
        KAFKA_BROKERS: kafka.brokers.join(','),
        KAFKA_SASL_MECHANISM: 'plain',
        KAFKA_SASL_USERNAME: userOf(kafka),
        KAFKA_SASL_PASSWORD: passwordOf(userOf(kafka)),
        ENRICHMENT_OUTPUT_TOPIC: 'somebody-elses',
      }),
      quiet,
      { partitions: 1 },
    );
  const inputs = [topics.user, topics.session, topics.money];
  const all = [...inputs, topics.output, topics.ledger, topics.deadLetter];
  const found: [string, string, Attempt][] = [];
  const attempts = (user: string, writes: readonly string[], ids: readonly string[]) => {
    for (const topic of writes) found.push([user, `writing to ${topic}`, write(topic)]);
    for (const id of ids) found.push([user, `fencing ${id}`, fence(id)]);
    if (user !== 'topics') found.push([user, 'creating topics', create]);
  };
  const ids = [`${appId}-shard-0`, `${appId}-bridge-0`];
  attempts('bridge', [...inputs, topics.output, topics.ledger], [`${appId}-shard-0`]);
  attempts('worker', [...inputs, topics.deadLetter], [`${appId}-bridge-0`]);
  attempts('consumer', all, ids);
  attempts('producer', [topics.output, topics.ledger, topics.deadLetter], ids);
  attempts('topics', all, ids);
  attempts('doctor', all, ids);
  attempts('lister', all, ids);
  attempts('retrier', [topics.output, topics.ledger, topics.deadLetter], ids);
  attempts('nobody', all, ids);
  found.push(['worker', 'joining the group of the bridges', join(`${appId}-bridge`, topics.ledger)]);
  found.push(['bridge', 'joining the group of the workers', join(`${appId}-shards`, topics.user)]);
  found.push(['consumer', 'reading the ledger', join('consumers', topics.ledger)]);
  found.push(['consumer', 'reading the dead letters', join('consumers', topics.deadLetter)]);
  found.push(['bridge', 'reading the ledger', join(`${appId}-bridge`, topics.ledger)]);
  found.push(['bridge', 'reading the outputs', join(`${appId}-bridge`, topics.output)]);
  found.push(['worker', 'reading the wallet topic', join(`${appId}-shards`, topics.money)]);
  assert.ok(
    rows.every(
      ({ operations }) => !operations.some((operation) => /^(All|Alter|Delete|ClusterAction)/.test(operation)),
    ),
  );
  return found;
}
