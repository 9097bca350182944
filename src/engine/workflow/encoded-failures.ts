/**
 * How failures of workflows are written: as everywhere, or, where payloads are encrypted, with message and stack in a payload of
 * their own. Both are read. A bundle is the same for all: the worker sets the property on the global object of the sandbox.
 */
import { DefaultFailureConverter } from '@temporalio/common';

/** Of the global object of the sandbox. */
export const ENCODES_FAILURES = 'encodesFailures';

export const failureConverter = new DefaultFailureConverter({
  encodeCommonAttributes: (globalThis as { [ENCODES_FAILURES]?: unknown })[ENCODES_FAILURES] === true,
});
