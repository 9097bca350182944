/**
 * What `npm pack` makes, installed into an empty project: its types, its entry points on each supported Node, its demo (in CI on the
 * Node of the docs, before a release on each), and the examples, on a real broker and a real Temporal server, with processes that are killed.
 */
import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { runProgram, startChild, type Child } from '../../src/dev/processes.ts';
import { createClient, PATIENT_RETRY } from '../../src/engine/kafka/kafkajs/client.ts';
import { createPlainProducer } from '../../src/engine/kafka/kafkajs/producer.ts';
import { silentLogger } from '../../src/engine/log.ts';
import { productVersion } from '../../src/engine/process/version.ts';
import { shardQueueOf } from '../../src/library/publisher.ts';
import { sharedCluster } from '../support/cluster.ts';
import { createTopics } from '../support/create-topics.ts';
import { eventually } from '../support/eventually.ts';
import { readTopics } from '../support/topic-reader.ts';
import { sized } from '../support/size.ts';
import { BASELINE, TESTED } from './nodes.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const RUNS_DEMO = sized([BASELINE], TESTED);
const EXAMPLES = ['orders', 'bridge-only', 'publish-only'] as const;

let work = '';
let tarball = '';
/** Where the tarball is installed. */
let project = '';
/** By major version. */
const nodes = new Map<number, string>();

async function run(
  command: string,
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv = {},
): Promise<string> {
  const { code, stdout, stderr } = await runProgram(command, args, {
    cwd,
    env: { ...process.env, npm_config_prefer_offline: 'true', ...env },
  });
  assert.equal(code, 0, `${command} ${args.join(' ')}\n${stdout}${stderr}`);
  return stdout;
}

/** What the example of docs/library.md imports. */
const MY_KAFKA = `
import { kafkajs, type KafkaPort } from 'money-enrichment/kafka';
export const connect = (): KafkaPort => kafkajs({ brokers: ['127.0.0.1:9092'] });
export declare function createTopic(partitions?: number): Promise<string>;
export declare function readCommitted(topic: string, partition?: number): Promise<string[]>;
`;

/** The block of code of a document in which this stands. */
async function exampleOf(document: string, text: string): Promise<string> {
  const blocks = [...(await readFile(join(ROOT, document), 'utf8')).matchAll(/```ts\n([^]*?)```/g)];
  return blocks.map(([, code]) => code!).find((code) => code.includes(text))!;
}

/** A copy of what git has, in which nothing else can be found. */
async function checkout(): Promise<string> {
  const copy = join(work, 'checkout');
  const tracked = (await run('git', ['ls-files', '--cached', '--others', '--exclude-standard'], ROOT))
    .trim()
    .split('\n');
  for (const file of tracked) {
    await mkdir(dirname(join(copy, file)), { recursive: true });
    await cp(join(ROOT, file), join(copy, file));
  }
  await symlink(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

before(
  async () => {
    work = await mkdtemp(join(tmpdir(), 'package-'));
    const packed = await run('npm', ['pack', '--silent', '--pack-destination', work], await checkout());
    tarball = join(work, packed.trim().split('\n').at(-1)!);
    project = join(work, 'project');
    await mkdir(join(project, 'src'), { recursive: true });
    await writeFile(join(project, 'package.json'), JSON.stringify({ name: 'empty', private: true, type: 'module' }));
    // Temporal's own types import `ms`, which has none for NodeNext.
    await run(
      'npm',
      ['install', '--no-audit', '--no-fund', tarball, 'typescript@5.9.3', '@types/node@20', '@types/ms@2'],
      project,
    );
    for (const name of EXAMPLES) {
      await cp(join(ROOT, 'examples', name), join(project, 'src', name), { recursive: true });
    }
    await mkdir(join(project, 'src', 'conformance'));
    await writeFile(join(project, 'src', 'conformance', 'my-kafka.ts'), MY_KAFKA);
    await writeFile(join(project, 'src', 'conformance', 'port.ts'), await exampleOf('docs/library.md', 'conformance('));
    await writeFile(join(project, 'src', 'orders.test.ts'), await exampleOf('docs/library.md', 'given(orders'));
    await writeFile(
      join(project, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          target: 'ES2023',
          module: 'NodeNext',
          strict: true,
          skipLibCheck: false,
          types: ['node'],
          rootDir: 'src',
          outDir: 'out',
        },
        include: ['src'],
      }),
    );
    for (const major of TESTED) {
      const home = join(work, `node-${major}`);
      await mkdir(home);
      await writeFile(join(home, 'package.json'), '{"private":true}');
      const name = `node-${process.platform}-${process.arch}`;
      await run('npm', ['install', '--no-audit', '--no-fund', `${name}@${major}`], home);
      nodes.set(major, join(home, 'node_modules', name, 'bin', 'node'));
    }
  },
  { timeout: 600_000 },
);
after(() => rm(work, { recursive: true, force: true, maxRetries: 5 }));

describe('the package', () => {
  it('has what it needs and no test, source or tool of development', async () => {
    const files = (await readdir(join(project, 'node_modules/money-enrichment'), { recursive: true })).filter(
      (name) => !name.startsWith('node_modules'),
    );
    for (const needed of [
      'README.md',
      'LICENSE',
      'npm-shrinkwrap.json',
      'dist/workflows.json',
      'dist/schemas/ledger.avsc',
      'dist/schemas/state.avsc',
      'bin/money-enrichment.js',
      'bin/temporal-enrichment.js',
      'docker-compose.yml',
      'docs/messages.md',
    ]) {
      assert.ok(files.includes(needed), needed);
    }
    assert.deepEqual(
      files.filter((name) =>
        /(^|\/)(test|verification|bench|scripts|examples)(\/|$)|\.test\.|(?<!\.d)\.ts$/.test(name),
      ),
      [],
    );
    const { dependencies, keywords } = JSON.parse(
      await readFile(join(project, 'node_modules/money-enrichment/package.json'), 'utf8'),
    ) as { dependencies: object; keywords: string[] };
    assert.ok(!Object.hasOwn(dependencies, 'tsx'));
    assert.ok(keywords.includes('kafka'));
    const installed = await readdir(join(project, 'node_modules'));
    assert.ok(!installed.includes('tsx') && !installed.includes('fast-check'), 'only what it runs with is installed');
  });

  it('installs the very versions that were tested', async () => {
    const locked = (
      JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')) as {
        packages: Record<string, { version: string; dev?: boolean }>;
      }
    ).packages;
    for (const name of ['kafkajs', '@temporalio/worker', 'avsc', 'protobufjs', 'long']) {
      const found = [
        join(project, 'node_modules', name),
        join(project, 'node_modules/money-enrichment/node_modules', name),
      ];
      const versions = (
        await Promise.all(found.map((folder) => readFile(join(folder, 'package.json'), 'utf8').catch(() => undefined)))
      ).flatMap((text) => (text === undefined ? [] : [(JSON.parse(text) as { version: string }).version]));
      assert.ok(
        versions.includes(locked[`node_modules/${name}`]!.version),
        `${name}: ${versions.join()} of ${locked[`node_modules/${name}`]!.version}`,
      );
    }
  });

  it('pleases publint and arethetypeswrong', { timeout: 120_000 }, async () => {
    await run(join(ROOT, 'node_modules/.bin/publint'), ['run', tarball, '--strict'], work);
    await run(join(ROOT, 'node_modules/.bin/attw'), [tarball, '--profile', 'esm-only'], work);
  });

  it('has types that hold without skipLibCheck, and the examples compile with them', { timeout: 120_000 }, async () => {
    await run(join(project, 'node_modules/.bin/tsc'), ['-p', '.'], project);
  });

  it('lets the rules of the example be tested without servers', { timeout: 60_000 }, async () => {
    const tests = ['out/orders/rules.test.js', 'out/orders.test.js'];
    await run(nodes.get(22)!, ['--test', ...tests], project, { NODE_TEST_CONTEXT: undefined });
  });
});

for (const major of TESTED) {
  describe(`on Node ${major}`, () => {
    it('tells its version, and loads each entry point', async () => {
      const node = nodes.get(major)!;
      assert.match(await run(node, ['--version'], project), new RegExp(`^v${major}\\.`));
      assert.equal(
        await run(node, ['node_modules/money-enrichment/bin/money-enrichment.js', '--version'], project),
        `${productVersion()}\n`,
      );
      const load = `for (const name of ['kafka', 'kafka/conformance', 'bridge', 'publisher', 'testing']) if (Object.keys(await import('money-enrichment/' + name)).length === 0) throw new Error(name);`;
      await run(node, ['--input-type=module', '-e', load], project);
    });

    if (!RUNS_DEMO.includes(major)) return;
    it('runs the demo, which is right', { timeout: 300_000 }, async () => {
      const out = await run(
        nodes.get(major)!,
        ['node_modules/money-enrichment/bin/money-enrichment.js', 'demo', '--users', '10', '--events', '300'],
        project,
      );
      assert.match(out, /RIGHT/);
    });
  });
}

describe('the entry points, as the small examples use them', () => {
  async function onTopics(topics: readonly { topic: string; numPartitions: number; compacted?: boolean }[]) {
    const { brokers, temporal } = await sharedCluster();
    const config = { brokers, ssl: false };
    const client = createClient(config, silentLogger(), { retry: PATIENT_RETRY });
    const admin = client.kafka.admin();
    await admin.connect();
    await createTopics(
      admin,
      topics.map(({ topic, numPartitions, compacted }) => ({
        topic,
        numPartitions,
        replicationFactor: 1,
        ...(compacted && { configEntries: [{ name: 'cleanup.policy', value: 'compact' }] }),
      })),
    );
    await admin.disconnect();
    client.destroy();
    const connection = await Connection.connect({ address: temporal });
    return {
      config,
      connection,
      client: new Client({ connection }),
      env: { ...process.env, KAFKA_BROKERS: brokers.join(','), TEMPORAL_ADDRESS: temporal },
    };
  }

  /** Started, and ready; stopped at the end of the test at the latest. */
  async function start(t: TestContext, example: string, env: NodeJS.ProcessEnv): Promise<Child> {
    const lines: string[] = [];
    const child = startChild(nodes.get(22)!, [join(project, 'out', example, 'main.js')], {
      name: example,
      cwd: project,
      env,
      onLine: (line) => void lines.push(line),
    });
    t.after(() => child.stop(2_000));
    await eventually(
      `${example} to be ready`,
      async () => {
        assert.ok(child.running, lines.join('\n'));
        return lines.includes('READY');
      },
      60_000,
    );
    return child;
  }

  it(
    'bridge-only: each payment is counted once in the workflow of its account, though the process is killed',
    { timeout: 240_000 },
    async (t) => {
      const { config, connection, client, env } = await onTopics([
        { topic: 'payments', numPartitions: 2 },
        { topic: 'payments-dead-letters', numPartitions: 1 },
      ]);
      t.after(() => connection.close());
      const producer = await createPlainProducer(config, silentLogger());
      t.after(() => producer.close());
      const from = Date.parse('2026-01-31T10:00:00Z');
      const send = (first: number, count: number) =>
        producer.send(
          'payments',
          Array.from({ length: count }, (_, index) => {
            const n = first + index;
            return {
              key: `a-${n % 5}`,
              value: JSON.stringify({ account: `a-${n % 5}`, amount: n, at: new Date(from + n * 10).toISOString() }),
            };
          }),
        );
      const killed = await start(t, 'bridge-only', env);
      await send(1, 500);
      await producer.send('payments', [{ key: 'a-1', value: 'no JSON' }]);
      await eventually(
        'the first payments to arrive',
        async () =>
          (await client.workflow.list({ query: "WorkflowType = 'account'" })[Symbol.asyncIterator]().next()).done ===
          false,
        60_000,
      );
      killed.kill();
      await start(t, 'bridge-only', env);
      await send(501, 500);
      for (let account = 0; account < 5; account += 1) {
        const numbers = Array.from({ length: 1_000 }, (_, index) => index + 1).filter((n) => n % 5 === account);
        const wanted = { balance: numbers.reduce((sum, n) => sum + n, 0), payments: 200 };
        let found: unknown;
        await eventually(
          `the balance of a-${account} to be ${JSON.stringify(wanted)}`,
          async () => {
            found = await client.workflow.getHandle(`account/a-${account}`).query('balance').catch(String);
            return JSON.stringify(found) === JSON.stringify(wanted);
          },
          60_000,
        ).catch((error: Error) => assert.fail(`${error.message}, and it is ${JSON.stringify(found)}`));
      }
      const letters = await readTopics(config, ['payments-dead-letters']);
      t.after(() => letters.close());
      await eventually('the dead letter', async () => letters.records.length === 1, 30_000);
      assert.deepEqual(
        [letters.records[0]!.value?.toString(), letters.records[0]!.headers['reason']],
        ['no JSON', 'malformed'],
      );
    },
  );

  it(
    'publish-only: each invoice is in the topic once and in order, though one of two processes is killed again and again',
    { timeout: 240_000 },
    async (t) => {
      const { config, connection, client, env } = await onTopics([
        { topic: 'invoices', numPartitions: 4 },
        { topic: 'invoices-ledger', numPartitions: 4, compacted: true },
      ]);
      t.after(() => connection.close());
      await start(t, 'publish-only', env);
      let killed = await start(t, 'publish-only', env);
      const customers = Array.from({ length: 8 }, (_, index) => `c-${index}`);
      const handles = await Promise.all(
        customers.map((customer) =>
          client.workflow.start('invoices', {
            workflowId: `invoices/${customer}`,
            taskQueue: shardQueueOf('invoicing', customer, 4),
            args: [customer, 30],
          }),
        ),
      );
      const out = await readTopics(config, ['invoices']);
      t.after(() => out.close());
      for (const upTo of [60, 140]) {
        await eventually(`${upTo} invoices`, async () => out.records.length >= upTo, 60_000);
        killed.kill();
        killed = await start(t, 'publish-only', env);
      }
      await Promise.all(handles.map((handle) => handle.result()));
      await eventually('all invoices', async () => out.records.length >= 240, 30_000);
      for (const customer of customers) {
        const numbers = out.records
          .filter(({ key }) => key?.toString() === customer)
          .map(({ value }) => (JSON.parse(value!.toString()) as { number: number }).number);
        assert.deepEqual(
          numbers,
          Array.from({ length: 30 }, (_, index) => index + 1),
          customer,
        );
      }
    },
  );

  it(
    'orders: each order comes out once, with what belongs to it, though one of two processes is killed again and again',
    { timeout: 300_000 },
    async (t) => {
      const { topics } = JSON.parse(await readFile(join(ROOT, 'examples/orders/example.json'), 'utf8')) as {
        topics: Record<string, { partitions: number; compacted?: boolean }>;
      };
      const { config, connection, client, env } = await onTopics(
        Object.entries(topics).map(([topic, { partitions, compacted = false }]) => ({
          topic,
          numPartitions: partitions,
          compacted,
        })),
      );
      t.after(() => connection.close());
      const producer = await createPlainProducer(config, silentLogger());
      t.after(() => producer.close());
      const from = Date.parse('2026-01-31T10:00:00Z');
      // Of every fifth order half of the money never comes; of every third the shipment is recorded before the order.
      const orders = Array.from({ length: 60 }, (_, n) => ({
        order: `o-${n}`,
        customer: `c-${n % 7}`,
        total: 1_000 + 2 * n,
        halves: n % 5 === 0 ? 1 : 2,
        early: n % 3 === 0,
        parcel: `p-${n}`,
        ts: from + n * 100,
      }));
      const send = async (some: typeof orders): Promise<void> => {
        for (const { order, customer, total, halves, early, parcel, ts } of some) {
          const record = (fields: object, after: number) => ({
            key: order,
            value: JSON.stringify({ order, ...fields, at: new Date(ts + after).toISOString() }),
          });
          await producer.send('orders', [record({ customer, total }, 0)]);
          await producer.send(
            'order-payments',
            Array.from({ length: halves }, (_, half) => record({ amount: total / 2 }, 100 + half)),
          );
          await producer.send('order-shipments', [record({ parcel }, early ? -50 : 200)]);
        }
      };
      const expected = orders.map(({ order, customer, total, halves, parcel }) =>
        halves === 2
          ? { order, outcome: 'delivered', customer, city: `the city of ${customer}`, paid: total, parcel }
          : { order, outcome: 'unpaid', customer, missing: total / 2 },
      );
      await start(t, 'orders', env);
      let killed = await start(t, 'orders', env);
      const out = await readTopics(config, ['order-outcomes']);
      t.after(() => out.close());
      await send(orders.slice(0, 30));
      await producer.send('orders', [{ key: 'o-x', value: '{"order":"o-x"}' }]);
      await eventually('the first outcomes', async () => out.records.length > 0, 60_000);
      killed.kill();
      await send(orders.slice(30));
      killed = await start(t, 'orders', env);
      await eventually('half of the outcomes', async () => out.records.length >= 30, 90_000);
      killed.kill();
      await eventually('all that is delivered', async () => out.records.length >= 48, 150_000);
      // Event time passes, in each partition, and with it the time of what is not paid.
      const later = { customer: 'c', total: 1, at: new Date(from + 200_000).toISOString() };
      const ends = Array.from({ length: 40 }, (_, n) => `end-${n}`);
      await producer.send(
        'orders',
        ends.map((order) => ({ key: order, value: JSON.stringify({ order, ...later }) })),
      );
      await eventually('all outcomes', async () => out.records.length >= expected.length, 150_000);
      const found = out.records.map(({ value }) => JSON.parse(value!.toString()) as { order: string });
      const inOrder = (a: { order: string }, b: { order: string }): number => a.order.localeCompare(b.order);
      assert.deepEqual(found.toSorted(inOrder), expected.toSorted(inOrder));
      assert.equal(
        (await client.workflow.getHandle('orders/o-1').query<{ state: string }>('state')).state,
        'delivered',
      );
    },
  );
});
