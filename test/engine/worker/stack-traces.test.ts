import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { withoutStackTraces } from '../../../src/engine/worker/stack-traces.ts';

test('an error keeps its message and loses the lines that it comes from', () => {
  const code = 'var fail = () => new Error("why").stack;\n//# sourceMappingURL=data:application/json;base64,e30=';
  const context: { fail?: () => string } = {};
  runInNewContext(withoutStackTraces(code), context);
  assert.equal(context.fail!(), 'Error: why');
});

test('the source map stays at the end, and code without one is taken as well', () => {
  assert.equal(
    withoutStackTraces('a();\n//# sourceMappingURL=x'),
    'a();\nError.stackTraceLimit = 0;\n//# sourceMappingURL=x',
  );
  assert.equal(withoutStackTraces('a();'), 'a();\nError.stackTraceLimit = 0;\n');
});
