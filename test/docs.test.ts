/** What the pages say is there: links, files, commands, variables, metrics. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Registry } from 'prom-client';
import { COMMANDS } from '../src/cli/commands.ts';
import { loadConfig } from '../src/money/config.ts';
import { createExpiryMetrics } from '../src/money/expiry.ts';
import { createBridgeMetrics, createWorkerMetrics } from '../src/money/metrics.ts';
import { createProcessMetrics } from '../src/money/metrics/process.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PAGES = ['README.md', 'DESIGN.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md', 'test/README.md'].concat(
  readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
);

const read = (page: string): string => readFileSync(join(ROOT, page), 'utf8');
const withoutCode = (text: string): string => text.replace(/```[^]*?```/g, '').replace(/`[^`\n]*`/g, '');

/** Of a page's headings, as GitHub makes them. */
function anchorsOf(page: string): string[] {
  return [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** What a release changed stands in the changelog under the names of its time. */
const OF_TODAY = PAGES.filter((page) => page !== 'CHANGELOG.md');

test('every link leads to a page, and to a heading of it', () => {
  for (const page of PAGES) {
    for (const [link, target, anchor] of withoutCode(read(page)).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)) {
      const to = target === '' ? page : normalize(join(dirname(page), target!));
      assert.ok(existsSync(join(ROOT, to)), `${page}, ${link}: there is no ${to}`);
      if (anchor !== undefined) {
        assert.ok(anchorsOf(to).includes(anchor), `${page}, ${link}: ${to} has no such heading`);
      }
    }
  }
});

test('every file that is named is there', () => {
  const named = /`((?:src|workflows|activities|test|verification|examples|schemas|scripts|bench|docs)\/[\w./-]*\w)`/g;
  for (const page of OF_TODAY) {
    for (const [, file] of read(page).matchAll(named)) assert.ok(existsSync(join(ROOT, file!)), `${page}: ${file}`);
  }
});

test('docs/not-run.md has every file of tests that may skip, and no other', () => {
  const files = ['test', 'verification']
    .flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true }).map((name) => `${folder}/${String(name)}`),
    )
    .filter((file) => file.endsWith('.test.ts') && !file.includes('node_modules'));
  const skipping = files.filter((file) => /\.skip\(|\bskip: /.test(read(file)) && file !== 'test/docs.test.ts');
  const [, section = ''] = /^## Run only where the tool is there$([^]*?)^## /m.exec(read('docs/not-run.md')) ?? [];
  const told = [...section.matchAll(/`((?:test|verification)\/[\w./-]+\.test\.ts)`/g)].map(([, file]) => file!);
  assert.deepEqual(told.sort(), skipping.sort());
});

test('every command of npm and of the test runner is there', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  for (const page of OF_TODAY) {
    for (const [, name] of read(page).matchAll(/npm run (?:-s |--silent )?([a-z][\w:-]*)/g)) {
      assert.ok(scripts[name!], `${page}: ${name}`);
    }
    for (const [, files] of read(page).matchAll(/node scripts\/test\.js ((?:[\w./-]+\.test\.ts ?)+)/g)) {
      for (const file of files!.trim().split(' ')) assert.ok(existsSync(join(ROOT, file)), `${page}: ${file}`);
    }
  }
});

test('every section of the contract that the code names is there', () => {
  const sections = [...read('docs/semantics.md').matchAll(/^## (\d+)\. /gm)].map(([, number]) => number!);
  assert.deepEqual(sections, ['1', '2', '3', '4', '5', '6']);
  const named = ['src', 'workflows', 'activities', 'test', 'verification'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.includes('node_modules'))
      .flatMap((name) =>
        [...read(join(folder, name)).matchAll(/semantics,[\s*]+sections? ([\d and,]+)/g)].map(([, numbers]) => ({
          file: join(folder, name),
          numbers: numbers!.match(/\d/g)!,
        })),
      ),
  );
  assert.ok(named.length > 20, `${named.length} places`);
  for (const { file, numbers } of named) {
    for (const number of numbers) assert.ok(sections.includes(number), `${file}: section ${number}`);
  }
});

test('README.md is short enough to be read', () => {
  assert.ok(read('README.md').split('\n').length <= 120);
});

test('docs/commands.md has every command, and no other', () => {
  const told = [...read('docs/commands.md').matchAll(/^\| `([\w-]+)/gm)].map(([, name]) => name!);
  assert.deepEqual(told.sort(), COMMANDS.map(({ name }) => name).sort());
});

test('docs/configuration.md has every variable of .env.example', () => {
  const page = read('docs/configuration.md');
  for (const [, name] of read('.env.example').matchAll(/^#?([A-Z_]+)=/gm)) {
    assert.ok(page.includes(`\`${name}\``), name);
  }
});

test('.env.example and docs/configuration.md tell of every variable that is read', () => {
  const asked = new Set<string>();
  const watched = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
    new Proxy(env, {
      get: (variables, name) => {
        asked.add(String(name));
        return variables[String(name)];
      },
    });
  const KAFKA_BROKERS = '127.0.0.1:9092';
  loadConfig(watched({}));
  for (const KAFKA_SASL_MECHANISM of ['plain', 'oauthbearer', 'aws-msk-iam']) {
    const env = {
      KAFKA_BROKERS,
      KAFKA_SASL_MECHANISM,
      ENRICHMENT_VALUE_FORMAT: 'avro',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'x',
    };
    assert.throws(() => loadConfig(watched(env)), { code: 'CONFIG' });
  }
  assert.ok(asked.size > 100);
  const example = read('.env.example');
  const page = read('docs/configuration.md');
  // Of a secret X_FILE stands for X; Temporal's own variables and those of OpenTelemetry have pages of their own.
  const ours = [...asked].filter((name) => !/_FILE$|^(OTEL|TEMPORAL)_/.test(name));
  assert.deepEqual(
    ours.filter((name) => !tells(example, name)),
    [],
  );
  assert.deepEqual(
    ours.filter((name) => !tells(page, name)),
    [],
  );
  const tracing = read('docs/tracing.md');
  assert.deepEqual(
    [...asked].filter((name) => /^OTEL_(?!.*_FILE$)/.test(name) && !tells(tracing, name)),
    [],
  );
});

/** By its name, or as one of `PREFIX_*`. */
function tells(text: string, name: string): boolean {
  const families = [...text.matchAll(/([A-Z]+(?:_[A-Z]+)*_)\*/g)].map(([, family]) => family!);
  return new RegExp(`\\b${name}(_FILE)?\\b`).test(text) || families.some((family) => name.startsWith(family));
}

test('docs/metrics.md has every metric of bridge and worker, and no other', async () => {
  const registry = new Registry();
  createBridgeMetrics(registry, ['wallet-events']);
  createWorkerMetrics(registry);
  createProcessMetrics(registry, 'worker');
  createExpiryMetrics(registry);
  const ours = (await registry.getMetricsAsJSON())
    .map(({ name }) => name)
    .filter((name) => name.startsWith('money_enrichment_'))
    .map((name) => name.replace('money_enrichment_', ''));
  const rows = [...read('docs/metrics.md').matchAll(/^\| (`.*?`) \|/gm)].map(([, cell]) => cell!);
  const told = rows.flatMap((cell) => [...cell.matchAll(/`(\w+)/g)].map(([, name]) => name!));
  assert.deepEqual(told.sort(), ours.sort());
});

test('docs/names.md: each word is at home where it says', () => {
  const rows = [...read('docs/names.md').matchAll(/^\| (\*\*.+?\*\*) \| .+? \| (.*?) \| .*? \|$/gm)];
  assert.ok(rows.length > 40);
  for (const [, words, where] of rows) {
    const files = [...where!.matchAll(/`([^`]+\.ts)`/g)].map(([, file]) => read(file!));
    for (const [, word] of files.length === 0 ? [] : words!.matchAll(/\*\*(.+?)\*\*/g)) {
      const found = new RegExp(word!.replace(/[ -]/g, '[ -]?'), 'i');
      assert.ok(
        files.some((text) => found.test(text.replace(/\n \* /g, ' '))),
        `${word}: not in ${where}`,
      );
    }
  }
});

test('docs/names.md: no word stands for two things', () => {
  const words = [...read('docs/names.md').matchAll(/^\| (\*\*.+?\*\*) \|/gm)].flatMap(([, cell]) =>
    [...cell!.matchAll(/\*\*(.+?)\*\*/g)].map(([, word]) => word!),
  );
  assert.deepEqual(
    words.filter((word, index) => words.indexOf(word) !== index),
    [],
  );
});
