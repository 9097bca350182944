/** Messages and stacks of failures become a payload, which the codecs encrypt. Outside of the workflow's sandbox. */
// eslint-disable-next-line @typescript-eslint/no-require-imports -- the SDK requires this file
const { DefaultFailureConverter } = require('@temporalio/common');

exports.failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
