/** The Helm chart: what it makes of its values. Where there is no helm on the PATH, only what can be told without it. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse, parseAllDocuments } from 'yaml';
import { findProgram, runProgram } from '../../src/dev/processes.ts';
import type { BrakeSettings } from '../../src/engine/ordering/brake.ts';
import { cachedWorkflows } from '../../src/engine/worker/workflow-cache.ts';
import { loadConfig } from '../../src/money/config.ts';

const CHART = fileURLToPath(new URL('../../deploy/helm/money-enrichment', import.meta.url));
const read = (name: string): string => readFileSync(join(CHART, name), 'utf8');

interface Container {
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly resources: { readonly limits: Readonly<Record<string, string>> };
  readonly volumeMounts: readonly { readonly mountPath: string }[];
  readonly startupProbe: { readonly httpGet: { readonly path: string } };
  readonly livenessProbe: { readonly httpGet: { readonly path: string } };
  readonly readinessProbe: { readonly httpGet: { readonly path: string } };
}
interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: {
    readonly replicas?: number;
    readonly maxReplicaCount?: number;
    readonly triggers?: readonly { readonly metadata: Readonly<Record<string, string>> }[];
    readonly template: {
      readonly spec: {
        readonly serviceAccountName?: string;
        readonly terminationGracePeriodSeconds: number;
        readonly containers: readonly Container[];
      };
    };
  };
}

const ADDRESSES = {
  kafka: { brokers: 'kafka:9092' },
  temporal: { address: 'temporal:7233' },
  sessionService: { url: 'http://sessions' },
};

const HELM = findProgram('helm');

async function helm(
  values: object,
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'chart-'));
  try {
    const file = join(folder, 'values.json');
    writeFileSync(file, JSON.stringify(values));
    return await runProgram(HELM!, ['template', 'live', CHART, '--kube-version', '1.34.0', '--values', file]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function rendered(values: object = {}): Promise<Map<string, Manifest>> {
  const { code, stdout, stderr } = await helm({ ...ADDRESSES, ...values });
  assert.equal(code, 0, stderr);
  const manifests = parseAllDocuments(stdout).map((document) => document.toJS() as Manifest | null);
  return new Map(manifests.flatMap((one) => (one === null ? [] : [[`${one.kind} ${one.metadata.name}`, one]])));
}

const needsHelm = (t: TestContext): boolean => {
  if (HELM === undefined) t.skip('helm is not on the PATH');
  return HELM !== undefined;
};

test('the chart has the version of the package', () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  const chart = parse(read('Chart.yaml')) as { version: string; appVersion: string };
  assert.deepEqual([chart.version, chart.appVersion], [version, version]);
});

test('the schema knows every value, and no other', () => {
  type Schema = { readonly properties?: Readonly<Record<string, Schema>> };
  const told = (schema: Schema, path = ''): string[] =>
    schema.properties === undefined
      ? [path]
      : Object.entries(schema.properties).flatMap(([name, one]) => told(one, `${path}.${name}`));
  const given = (value: unknown, schema: Schema, path = ''): string[] =>
    schema.properties === undefined
      ? [path]
      : Object.entries(value as object).flatMap(([name, one]) =>
          given(one, schema.properties![name] ?? {}, `${path}.${name}`),
        );
  const schema = JSON.parse(read('values.schema.json')) as Schema;
  assert.deepEqual(
    given(parse(read('values.yaml')), schema).sort(),
    told(schema)
      .filter((path) => path !== '.global')
      .sort(),
  );
});

test('the least memory of a shard is that of the workflows that it keeps whatever the cache', () => {
  const [, least] = /mul (\d+) \$shards/.exec(read('templates/_helpers.tpl'))!;
  assert.equal(cachedWorkflows(Number(least) * 4, 4), 50);
  assert.equal(cachedWorkflows(Number(least) * 4 - 1, 4), 50);
  assert.equal(cachedWorkflows(Number(least) * 4 + 4, 4), 55);
});

test('by default: bridges, workers, topics before them, and their memory out of shards and partitions', async (t) => {
  if (!needsHelm(t)) return;
  const manifests = await rendered();
  assert.deepEqual([...manifests.keys()].sort(), [
    'Deployment live-money-enrichment-bridge',
    'Deployment live-money-enrichment-worker',
    'Job live-money-enrichment-topics',
    'PodDisruptionBudget live-money-enrichment-bridge',
    'PodDisruptionBudget live-money-enrichment-worker',
    'Service live-money-enrichment-bridge',
    'Service live-money-enrichment-worker',
  ]);
  const topics = manifests.get('Job live-money-enrichment-topics')!;
  assert.equal(topics.metadata.annotations!['helm.sh/hook'], 'pre-install,pre-upgrade');
  assert.deepEqual(topics.spec.template.spec.containers[0]!.args, ['topics', '--partitions', '4', '--shards', '4']);
  for (const [part, memory] of [
    ['worker', '1420Mi'],
    ['bridge', '640Mi'],
  ] as const) {
    const { spec } = manifests.get(`Deployment live-money-enrichment-${part}`)!;
    const [container] = spec.template.spec.containers;
    assert.deepEqual([spec.replicas, container!.args], [2, [part]]);
    assert.equal(spec.template.spec.terminationGracePeriodSeconds, 30);
    assert.deepEqual(container!.resources.limits, { memory });
    assert.deepEqual(
      [container!.startupProbe, container!.livenessProbe, container!.readinessProbe].map(({ httpGet }) => httpGet.path),
      ['/healthz', '/healthz', '/readyz'],
    );
  }
  const many = await rendered({
    topics: { shards: 32, partitions: 12 },
    worker: { workflowCacheMb: 100, versions: 2 },
  });
  const limits = ['worker', 'bridge'].map(
    (part) => many.get(`Deployment live-money-enrichment-${part}`)!.spec.template.spec.containers[0]!.resources.limits,
  );
  assert.deepEqual(limits, [{ memory: '1900Mi' }, { memory: '1008Mi' }]);
});

test('secrets come as files, and a process may have variables of its own', async (t) => {
  if (!needsHelm(t)) return;
  const manifests = await rendered({
    // A number is written as it stands, not as 1.048576e+06.
    env: { ENRICHMENT_LOG_LEVEL: 'warn', ENRICHMENT_OUT_OF_ORDERNESS: '10s', ENRICHMENT_MAX_RECORD_BYTES: 1_048_576 },
    files: [
      { variable: 'KAFKA_SASL_PASSWORD_FILE', secret: 'kafka', key: 'password' },
      { variable: 'KAFKA_SSL_CA', secret: 'kafka', key: 'ca.crt' },
    ],
    bridge: { env: { ENRICHMENT_LOG_LEVEL: 'debug' } },
  });
  const of = (part: string): Container =>
    manifests.get(`Deployment live-money-enrichment-${part}`)!.spec.template.spec.containers[0]!;
  const bridge = Object.fromEntries(of('bridge').env.map(({ name, value }) => [name, value]));
  assert.deepEqual(bridge, {
    ENRICHMENT_APP_ID: 'money-enrichment',
    ENRICHMENT_LOG_LEVEL: 'debug',
    ENRICHMENT_MAX_RECORD_BYTES: '1048576',
    ENRICHMENT_METRICS_PORT: '9464',
    ENRICHMENT_OUT_OF_ORDERNESS: '10s',
    ENRICHMENT_SESSION_SERVICE_URL: 'http://sessions',
    KAFKA_BROKERS: 'kafka:9092',
    KAFKA_SASL_PASSWORD_FILE: '/etc/money-enrichment/kafka/password',
    KAFKA_SSL_CA: '/etc/money-enrichment/kafka/ca.crt',
    TEMPORAL_ADDRESS: 'temporal:7233',
    TEMPORAL_NAMESPACE: 'default',
  });
  assert.equal(of('worker').env.find(({ name }) => name === 'ENRICHMENT_LOG_LEVEL')!.value, 'warn');
  assert.deepEqual(
    of('worker').volumeMounts.map(({ mountPath }) => mountPath),
    ['/tmp', '/etc/money-enrichment/kafka'],
  );
});

test('each process gets the secrets that it uses, and no others', async (t) => {
  if (!needsHelm(t)) return;
  const files = [
    { variable: 'KAFKA_SASL_PASSWORD_FILE', secret: 'kafka', key: 'password' },
    { variable: 'TEMPORAL_API_KEY_FILE', secret: 'temporal', key: 'key' },
    { variable: 'ENRICHMENT_ENCRYPTION_KEYS_FILE', secret: 'keyring', key: 'keys' },
    { variable: 'ENRICHMENT_CODEC_TOKEN_FILE', secret: 'codec', key: 'token' },
    { variable: 'ENRICHMENT_SESSION_SERVICE_TOKEN_FILE', secret: 'sessions', key: 'token' },
    { variable: 'ENRICHMENT_USER_ID_HASH_KEY_FILE', secret: 'hash', key: 'key' },
    { variable: 'SCHEMA_REGISTRY_TOKEN_FILE', secret: 'registry', key: 'token' },
  ];
  const env = { ENRICHMENT_VALUE_FORMAT: 'avro', SCHEMA_REGISTRY_URL: 'https://registry' };
  const manifests = await rendered({ files, env, codecServer: { enabled: true } });
  const secretsOf = (name: string): string[] => {
    const { containers } = manifests.get(name)!.spec.template.spec;
    const mounted = containers[0]!.volumeMounts.flatMap(
      ({ mountPath }) => /^\/etc.*\/(.+)$/.exec(mountPath)?.[1] ?? [],
    );
    const named = containers[0]!.env.flatMap(({ value }) => /^\/etc.*\/(.+)\//.exec(value)?.[1] ?? []);
    assert.deepEqual(mounted.toSorted(), named.toSorted(), name);
    return mounted.sort();
  };
  const running = ['hash', 'kafka', 'keyring', 'registry', 'sessions', 'temporal'];
  assert.deepEqual(secretsOf('Deployment live-money-enrichment-bridge'), running);
  assert.deepEqual(secretsOf('Deployment live-money-enrichment-worker'), running);
  assert.deepEqual(secretsOf('Deployment live-money-enrichment-codec-server'), ['codec', 'keyring', 'temporal']);
  assert.deepEqual(secretsOf('Job live-money-enrichment-topics'), ['kafka']);
  // Avro asks for a registry: who has none of its variables may not have the format either.
  for (const name of ['Deployment live-money-enrichment-codec-server', 'Job live-money-enrichment-topics']) {
    const names = manifests.get(name)!.spec.template.spec.containers[0]!.env.map((one) => one.name);
    assert.deepEqual(
      names.filter((one) => /REGISTRY|VALUE_FORMAT/.test(one)),
      [],
      name,
    );
  }
});

test('a variable that has a value of its own is refused among the further ones', async (t) => {
  if (!needsHelm(t)) return;
  const { code, stderr } = await helm({ ...ADDRESSES, env: { ENRICHMENT_WORKFLOW_CACHE_MB: '500' } });
  assert.notEqual(code, 0);
  assert.match(stderr, /ENRICHMENT_WORKFLOW_CACHE_MB/);
});

test('the brake is off, and on in the example for production, for bridges alone', async (t) => {
  if (!needsHelm(t)) return;
  const brakeOf = async (values: object): Promise<Record<string, BrakeSettings | undefined>> => {
    const manifests = await rendered(values);
    const deployments = [...manifests].filter(([, { kind }]) => kind === 'Deployment');
    return Object.fromEntries(
      deployments.map(([name, { spec }]) => {
        const env = Object.fromEntries(spec.template.spec.containers[0]!.env.map((one) => [one.name, one.value]));
        return [name.replace(/.*-/, ''), loadConfig(env).brake];
      }),
    );
  };
  assert.deepEqual(await brakeOf({}), { bridge: undefined, worker: undefined });
  const production = parse(readFileSync(join(CHART, '..', 'production.yaml'), 'utf8')) as object;
  assert.deepEqual(await brakeOf(production), { bridge: { share: 0.5, records: 1_000 }, worker: undefined });
  const own = { bridge: { brake: { percent: 20, records: 1_000_000 } } };
  assert.deepEqual((await brakeOf(own))['bridge'], { share: 0.2, records: 1_000_000 });
  for (const brake of [{ percent: 100 }, { percent: 1.5 }, { records: 9 }, { share: 0.5 }]) {
    assert.notEqual((await helm({ ...ADDRESSES, bridge: { brake } })).code, 0, JSON.stringify(brake));
  }
  const twice = await helm({ ...ADDRESSES, env: { ENRICHMENT_BRAKE_PERCENT: 50 } });
  assert.notEqual(twice.code, 0);
  assert.match(twice.stderr, /ENRICHMENT_BRAKE_PERCENT/);
});

test('all pods have the account that is named, and the codec server what its callers have to know', async (t) => {
  if (!needsHelm(t)) return;
  const manifests = await rendered({
    serviceAccount: { name: 'msk-reader' },
    codecServer: { enabled: true },
    files: [{ variable: 'ENRICHMENT_CODEC_TOKEN_FILE', secret: 'codec', key: 'token' }],
  });
  const accounts = [...manifests]
    .filter(([name]) => /^(Deployment|Job) /.test(name))
    .map(([name, { spec }]) => [name, spec.template.spec.serviceAccountName]);
  assert.deepEqual(accounts, [
    ['Deployment live-money-enrichment-bridge', 'msk-reader'],
    ['Deployment live-money-enrichment-codec-server', 'msk-reader'],
    ['Deployment live-money-enrichment-worker', 'msk-reader'],
    ['Job live-money-enrichment-topics', 'msk-reader'],
  ]);
  const [codec] = manifests.get('Deployment live-money-enrichment-codec-server')!.spec.template.spec.containers;
  assert.deepEqual(
    [codec!.livenessProbe, codec!.readinessProbe].map(({ httpGet }) => httpGet),
    Array<object>(2).fill({ path: '/healthz', port: 'codec' }),
  );
  const plain = await rendered();
  assert.equal('serviceAccountName' in plain.get('Deployment live-money-enrichment-worker')!.spec.template.spec, false);
});

test('with lag to scale by, KEDA decides how many bridges there are', async (t) => {
  if (!needsHelm(t)) return;
  const manifests = await rendered({
    topics: { partitions: 12 },
    env: { ENRICHMENT_USER_TOPIC: 'users' },
    bridge: { autoscaling: { enabled: true, lag: 5_000_000 } },
  });
  assert.equal(manifests.get('Deployment live-money-enrichment-bridge')!.spec.replicas, undefined);
  const { spec } = manifests.get('ScaledObject live-money-enrichment-bridge')!;
  assert.equal(spec.maxReplicaCount, 12);
  assert.deepEqual(
    spec.triggers!.map(({ metadata }) => [metadata['consumerGroup'], metadata['topic'], metadata['lagThreshold']]),
    [
      ['money-enrichment-bridge', 'user-session-events', '5000000'],
      ['money-enrichment-bridge', 'users', '5000000'],
      ['money-enrichment-bridge', 'wallet-events', '5000000'],
    ],
  );
});

test('rules and dashboard are what one gives, whole', async (t) => {
  if (!needsHelm(t)) return;
  const rules = 'groups:\n  - name: a\n    rules:\n      - alert: B\n        expr: up{job="{{ $labels.job }}"} == 0\n';
  const json = '{"panels": [{"legendFormat": "{{partition}}"}]}';
  const manifests = await rendered({
    monitoring: {
      prometheusRule: { enabled: true, rules },
      serviceMonitor: { enabled: true },
      dashboard: { enabled: true, json },
    },
  });
  assert.deepEqual(manifests.get('PrometheusRule live-money-enrichment')!.spec, parse(rules));
  assert.deepEqual((manifests.get('ConfigMap live-money-enrichment-dashboard') as unknown as { data: object }).data, {
    'money-enrichment.json': json,
  });
  assert.ok(manifests.has('ServiceMonitor live-money-enrichment'));
});

test('the runbook of the rules is where one serves it', async (t) => {
  if (!needsHelm(t)) return;
  const rules = readFileSync(
    fileURLToPath(new URL('../../observability/prometheus/alerts.yml', import.meta.url)),
    'utf8',
  );
  const runbookBase = 'https://wiki.example.com/money-enrichment/';
  const manifests = await rendered({ monitoring: { prometheusRule: { enabled: true, rules, runbookBase } } });
  const text = JSON.stringify(manifests.get('PrometheusRule live-money-enrichment')!.spec);
  assert.equal(text.split(`"${runbookBase}docs/runbook.md#`).length - 1, rules.split('- alert: ').length - 1);
});

test('what is missing or misspelt is refused, in words', async (t) => {
  if (!needsHelm(t)) return;
  const { code, stderr } = await helm({ ...ADDRESSES, kafka: { brokers: '' } });
  assert.notEqual(code, 0);
  assert.match(stderr, /kafka\.brokers is needed/);
  const misspelt = await helm({ ...ADDRESSES, worker: { replica: 3 } });
  assert.notEqual(misspelt.code, 0);
  assert.match(misspelt.stderr, /replica/);
  const open = await helm({ ...ADDRESSES, codecServer: { enabled: true } });
  assert.notEqual(open.code, 0);
  assert.match(open.stderr, /codecServer\.enabled: whoever asks it has to be known/);
});
