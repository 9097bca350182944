import tseslint from 'typescript-eslint';

const kafkajs = {
  name: 'kafkajs',
  message: 'Only src/engine/kafka/kafkajs talks to kafkajs; everything else uses src/engine/kafka/port.ts.',
};
const never = (why, ...folders) => ({ group: folders.map((folder) => `**/${folder}/**`), message: why });
const pure = { group: ['node:*'], message: 'This runs inside the workflow sandbox: no Node modules.' };
const ownFolderOnly = { regex: '^(?!\\./)', message: 'The model imports nothing but what is beside it.' };
/** Its pure parts alone: an entity's shell performs effects, by Temporal's SDK. */
const rulesOnly = {
  regex: '^(?!\\./|\\.\\./\\.\\./engine/workflow/[\\w-]+\\.ts$)',
  message: 'The rules import what is beside them and src/engine/workflow, and nothing else.',
};
const shipped = never(
  'What is shipped has no test/, verification/ and bench/ beside it.',
  'test',
  'verification',
  'bench',
  'repro',
);
const noMoney = never('The engine knows no application.', 'money', 'workflows', 'activities');
const noTools = never('The running system knows no tool, no development stack and no command.', 'tools', 'dev', 'cli');
const noLibrary = never('The entry points of the package import this, and not the other way.', 'library');
const entryPoints = never(
  'An example uses the entry points of the package, as anybody would.',
  'src',
  'dist',
  'workflows',
  'activities',
  'test',
);
const noCommands = never('A tool is no part of the command line.', 'cli');
/** A later fence for the same files takes the place of an earlier one, so each says all that holds for its files. */
const fence = (files, ...patterns) => ({
  files,
  rules: { 'no-restricted-imports': ['error', { paths: [kafkajs], patterns }] },
});

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'site/', '.cache/', '.stryker-tmp/'] },
  ...tseslint.configs.recommended,
  {
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: ':matches(PropertyDefinition, MethodDefinition[kind!="constructor"])[accessibility="private"]',
          message: 'Private members are #private: one style.',
        },
      ],
      curly: ['error', 'multi-line'],
      eqeqeq: 'error',
      'max-lines': ['error', { max: 390, skipBlankLines: true, skipComments: true }],
      'no-restricted-imports': ['error', { paths: [kafkajs] }],
      'prefer-const': ['error', { destructuring: 'all' }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
    },
  },
  {
    files: [
      'src/**/*.ts',
      'workflows/**/*.ts',
      'activities/**/*.ts',
      'test/**/*.ts',
      'verification/**/*.ts',
      'bench/**/*.ts',
      'scripts/**/*.ts',
    ],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', name: ['test', 'it', 'describe', 'suite'], package: 'node:test' },
          ],
        },
      ],
      '@typescript-eslint/no-misused-promises': 'error',
    },
  },
  fence(['src/**/*.ts', 'bin/**/*.js'], shipped),
  fence(['src/{tools,dev}/**/*.ts'], shipped, noCommands),
  fence(['src/money/**/*.ts', 'activities/**/*.ts'], shipped, noTools, noLibrary),
  fence(['src/engine/**/*.ts'], shipped, noTools, noMoney, noLibrary),
  fence(['src/engine/workflow/**/*.ts', 'src/engine/naming.ts'], shipped, noTools, noMoney, noLibrary, pure),
  fence(['workflows/**/*.ts', 'activities/contract.ts'], shipped, noTools, noLibrary, pure),
  fence(['src/money/domain/**/*.ts'], rulesOnly),
  fence(['src/money/model/**/*.ts'], ownFolderOnly),
  fence(['examples/**/*.ts'], entryPoints),
  fence(['src/library/**/*.ts'], shipped, noTools, noMoney),
  // The door to kafkajs: the same fence, and kafkajs itself.
  {
    files: ['src/engine/kafka/kafkajs/**/*.ts'],
    rules: { 'no-restricted-imports': ['error', { patterns: [shipped, noTools, noMoney, noLibrary] }] },
  },
  {
    files: ['test/engine/kafka/**/*.ts', 'verification/conformance/**/*.ts'],
    rules: { 'no-restricted-imports': 'off' },
  },
  { files: ['test/**/*.ts', 'verification/**/*.ts', 'bench/**/*.ts'], rules: { 'max-lines': 'off' } },
);
