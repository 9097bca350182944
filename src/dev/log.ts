/** Progress for a person: one line at a time, never on stdout. */
export type Log = (line: string) => void;
