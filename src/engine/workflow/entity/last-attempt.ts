/**
 * The failure of the last attempt as the cause of a time-out. Temporal's server records it there; the SDK (1.24) makes an error of
 * the time-out alone, and keeps what was recorded beside it.
 */

/** What is recorded of a failure, as far as it is needed here (temporal.api.failure.v1.Failure). */
interface Recorded {
  readonly message?: string | null;
  readonly cause?: Recorded | null;
  readonly applicationFailureInfo?: { readonly type?: string | null } | null;
}

/** `error`: of an activity, and changed by it. */
export function withLastAttempt(error: unknown): unknown {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause.name !== 'TimeoutFailure' || cause.cause !== undefined) continue;
    const recorded = (cause as { readonly failure?: Recorded }).failure?.cause;
    if (recorded) cause.cause = errorOf(recorded);
  }
  return error;
}

function errorOf({ message, cause, applicationFailureInfo }: Recorded): Error {
  return Object.assign(
    new Error(message ?? '', cause ? { cause: errorOf(cause) } : {}),
    applicationFailureInfo ? { type: applicationFailureInfo.type } : {},
  );
}
