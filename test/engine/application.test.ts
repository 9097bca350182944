/** The engine and the library know no application: its words stand in them only where they mean something else, or are on the wire. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FOLDERS = ['src/engine', 'src/library'];
const WORDS = /user|session|money|wallet|enrich|lookup/i;

interface Allowed {
  /** What stands there; a file may have it any number of times. */
  readonly text: RegExp;
  readonly files: readonly string[];
  readonly why: string;
}

/** It may only become shorter. */
const ALLOWED: readonly Allowed[] = [
  {
    text: /(-|worker\/)lookups\b/,
    files: ['src/engine/naming.ts', 'src/engine/temporal/identity.ts'],
    why: 'the task queue of questions: its name is in running systems',
  },
  {
    text: /\blookupRequest\b/,
    files: ['src/engine/kafka/kafkajs/static-member.ts'],
    why: "a name of kafkajs' own",
  },
  {
    text: /\bmoney-enrichment(\/(kafka\/conformance|kafka|bridge|publisher|workflow|testing))?\b/,
    files: [
      'src/library/bridge.ts',
      'src/library/conformance.ts',
      'src/library/kafka.ts',
      'src/library/publisher.ts',
      'src/library/testing.ts',
      'src/library/workflow.ts',
    ],
    why: 'the name of the package, which its entry points begin with',
  },
  {
    text: /\bmoney-enrichment\b/,
    files: ['src/engine/kafka/kafka-config.ts', 'src/engine/kafka/kafkajs/client.ts'],
    why: 'the client id by default, which quotas and logs of brokers know',
  },
  {
    text: /\bmoney-enrichment-sticky\b/,
    files: ['src/engine/naming.ts'],
    why: 'the name of the assignor, on the wire: members of a group have to agree on it while versions are mixed',
  },
  {
    text: /\buser ?data\b/i,
    files: ['src/engine/kafka/kafkajs/assigner.ts'],
    why: "a field of Kafka's protocol of groups",
  },
  {
    text: /\b((KAFKA|INVALID)_)?session([. ]?timeout|_TIMEOUT| time-out| lasts| has timed out)?\b/i,
    files: [
      'src/engine/bridge/triple-runner.ts',
      'src/engine/kafka/kafka-config.ts',
      'src/engine/kafka/kafkajs/errors.ts',
      'src/engine/kafka/kafkajs/group-coordinator.ts',
      'src/engine/kafka/kafkajs/group-member.ts',
      'src/engine/kafka/kafkajs/member-timeout.ts',
      'src/engine/kafka/kafkajs/tail.ts',
      'src/library/conformance.ts',
      'src/library/conformance/groups.ts',
    ],
    why: 'the session of a member of a consumer group',
  },
  {
    text: /\bthis user\b/,
    files: [
      'src/engine/kafka/kafkajs/admin.ts',
      'src/engine/kafka/kafkajs/errors.ts',
      'src/engine/kafka/port.ts',
      'src/engine/kafka/topic-rooms.ts',
      'src/engine/process/health.ts',
    ],
    why: 'who a process is to a broker or to the operating system',
  },
  {
    text: /\b(username|withoutUserInfo|USER_INFO|a user is given as|user:password|user, query or fragment)\b/,
    files: [
      'src/engine/kafka/kafka-config.ts',
      'src/engine/kafka/kafkajs/sasl.ts',
      'src/engine/process/environment-reader.ts',
      'src/engine/schema-registry/ask.ts',
    ],
    why: 'the user of an address or of SASL',
  },
];

function filesIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${folder}/${name}`);
}

/** Places of the words, without what is allowed there: `file: line`. */
function placesIn(file: string, text: string): string[] {
  const allowed = ALLOWED.filter(({ files }) => files.includes(file));
  return text
    .split('\n')
    .map((line) => allowed.reduce((rest, one) => rest.replaceAll(new RegExp(one.text, 'gi'), ''), line))
    .filter((line) => WORDS.test(line))
    .map((line) => `${file}: ${line.trim()}`);
}

test('the engine and the library say nothing of users, sessions and money', () => {
  assert.deepEqual(
    FOLDERS.flatMap(filesIn).flatMap((file) => placesIn(file, readFileSync(join(ROOT, file), 'utf8'))),
    [],
  );
});

test('a word of the application is found', () => {
  for (const text of ['const userId = 1;', '// every Money event', 'throw new Error("no session of u-1")']) {
    assert.equal(placesIn('src/engine/bridge/bridge.ts', text).length, 1, text);
  }
});

test('what is allowed is there', () => {
  const gone = ALLOWED.flatMap(({ text, files, why }) =>
    files
      .filter((file) => !text.test(readFileSync(join(ROOT, file), 'utf8')))
      .map((file) => `${file} has no ${String(text)} any more (${why})`),
  );
  assert.deepEqual(gone, []);
});
