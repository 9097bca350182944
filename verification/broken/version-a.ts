/**
 * This code as an older version of it: other commands (a timer at the start of each run) and the schemas of 0.1.0, so that neither
 * version can go on with a run of the other. It is no broken build: test/deployment/versions.e2e.test.ts runs it beside this one.
 */
export const VERSION_A = {
  name: 'version-a',
  edits: [
    {
      file: 'src/engine/workflow/entity/run-entity.ts',
      find: '\n  goOn();\n  for (;;) {\n',
      replace: '\n  port.timer(3_600_000, () => undefined);\n  goOn();\n  for (;;) {\n',
    },
    {
      file: 'src/money/domain/apply.ts',
      find: '  state.counters.moneyByCurrency[money.currency] = (state.counters.moneyByCurrency[money.currency] ?? 0) + 1;\n',
      replace: '',
    },
    { file: 'src/money/domain/state.ts', find: '      moneyByCurrency: {},\n', replace: '' },
  ],
};
