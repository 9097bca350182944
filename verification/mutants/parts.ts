/** What is mutated, and which tests are to notice. */
import { unitTestsIn } from './unit-tests.ts';

export interface Part {
  readonly mutate: readonly string[];
  /** Stages, one after the other, each tried only on mutants that the ones before let live: the quick tests come first. */
  readonly stages: readonly (readonly string[])[];
  /** Seeds of the simulation that come then; 0: none. */
  readonly seeds: number;
  /** Tests that take longer than the simulation. */
  readonly slow?: readonly string[];
}

const unit = (folder: string, ...without: readonly string[]): string[] =>
  unitTestsIn(folder).filter((file) => !without.some((name) => file.endsWith(`/${name}.test.ts`)));

/** Tests of the publisher that come second: they have processes around it, or measure. */
const WHOLE_PUBLISHERS = [
  'exactly-once',
  'ownership',
  'shard-opener',
  'given-back',
  'one-shard-fails',
  'refused-outputs',
  'known-ledger',
];

export const PARTS: Readonly<Record<string, Part>> = {
  rules: {
    mutate: ['src/money/domain/*.ts'],
    stages: [
      unit('test/money/domain', 'growth', 'agrees-with-model', 'properties', 'stored-size'),
      [...unit('test/workflows', 'bundle', 'carried', 'views'), 'test/money/domain/stored-size.test.ts'],
    ],
    seeds: 8,
    slow: [
      ...['properties', 'agrees-with-model'].map((name) => `test/money/domain/${name}.test.ts`),
      'test/workflows/views.test.ts',
      'test/workflows/carried.test.ts',
    ],
  },
  shell: {
    mutate: ['src/engine/workflow/**/*.ts', '!src/engine/workflow/entity/{sdk-port,interceptors,entity-workflow}.ts'],
    stages: [
      [
        ...unit('test/engine/workflow'),
        ...unit('test/engine/workflow/entity'),
        ...unit('test/workflows', 'bundle', 'carried', 'views'),
      ],
      ['test/tools/explain/recorded-histories.test.ts'],
    ],
    seeds: 16,
    slow: ['test/library/testing/given.test.ts', 'test/workflows/views.test.ts', 'test/workflows/carried.test.ts'],
  },
  publisher: {
    mutate: [
      'src/engine/publish/{commit-pace,group-commit,held-outputs,known-ledger,ledger-entry,ledger-reader,ledger,refusals,shard-publisher,shard-sender}.ts',
    ],
    stages: [
      unit('test/engine/publish', ...WHOLE_PUBLISHERS),
      WHOLE_PUBLISHERS.map((name) => `test/engine/publish/${name}.test.ts`),
    ],
    seeds: 16,
  },
};
