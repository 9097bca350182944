/**
 * Workflow code that records no stack traces. The SDK's hook asks for the trace of each promise that a workflow makes, some thirty
 * for a task, so that `temporal workflow stack` can show where it waits: more than a third of a task's processor time.
 */

const SOURCE_MAP = '\n//# sourceMappingURL=';
/** The SDK wants a map, parses it for each worker and hands it to its thread: two thirds of the bundle. */
const NO_LINES = `${SOURCE_MAP}data:application/json;base64,${Buffer.from(
  JSON.stringify({ version: 3, file: 'workflow-bundle.js', sources: [], names: [], mappings: '' }),
).toString('base64')}`;
const NONE = '\nError.stackTraceLimit = 0;';

/** `code`: a bundle as `bundleWorkflowCode` makes it. Errors keep their messages, and lose the lines that they come from. */
export function withoutStackTraces(code: string): string {
  const end = code.lastIndexOf(SOURCE_MAP);
  return withLine(end === -1 ? code : `${code.slice(0, end)}${NO_LINES}`, NONE);
}

/** The bundle, and then the line, which begins with a line break. */
export function withLine(code: string, line: string): string {
  const end = code.lastIndexOf(SOURCE_MAP);
  return end === -1 ? `${code}${line}\n` : `${code.slice(0, end)}${line}${code.slice(end)}`;
}
