import tseslint from 'typescript-eslint';

const kafkajs = { name: 'kafkajs', message: 'Only src/kafka talks to kafkajs; everything else uses src/kafka/port.ts.' };
const pure = { group: ['node:*'], message: 'This runs inside the workflow sandbox: no Node modules.' };
const shipped = { group: ['**/test/**', '**/bench/**', '**/repro/**'], message: 'What is shipped has no test/ and no bench/ beside it.' };
const deterministic = { files: ['src/domain/**/*.ts', 'workflows/**/*.ts', 'activities/contract.ts'] };

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/'] },
  ...tseslint.configs.recommended,
  {
    rules: {
      eqeqeq: 'error',
      'max-lines': ['error', { max: 350, skipBlankLines: true, skipComments: true }],
      'no-restricted-imports': ['error', { paths: [kafkajs] }],
      'prefer-const': ['error', { destructuring: 'all' }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true }],
    },
  },
  {
    files: ['src/**/*.ts', 'workflows/**/*.ts', 'activities/**/*.ts', 'test/**/*.ts', 'bench/**/*.ts', 'scripts/**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': [
        'error',
        { allowForKnownSafeCalls: [{ from: 'package', name: ['test', 'it', 'describe', 'suite'], package: 'node:test' }] },
      ],
      '@typescript-eslint/no-misused-promises': 'error',
    },
  },
  { ...deterministic, rules: { 'no-restricted-imports': ['error', { paths: [kafkajs], patterns: [pure] }] } },
  { files: ['src/**/*.ts', 'workflows/**/*.ts', 'activities/**/*.ts', 'bin/**/*.js'], rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns: [shipped] }] } },
  { files: ['src/kafka/**/*.ts', 'test/kafka/**/*.ts'], rules: { 'no-restricted-imports': 'off' } },
  { files: ['test/**/*.ts', 'bench/**/*.ts'], rules: { 'max-lines': 'off' } },
);
