/** One line of `doctor`. */
export interface Finding {
  readonly level: 'ok' | 'warning' | 'failed';
  /** What was looked at. */
  readonly subject: string;
  /** What was found, and what to do where it is not as it should be. */
  readonly message: string;
}

export const ok = (subject: string, message: string): Finding => ({ level: 'ok', subject, message });
export const warning = (subject: string, message: string): Finding => ({ level: 'warning', subject, message });
export const failed = (subject: string, message: string): Finding => ({ level: 'failed', subject, message });
