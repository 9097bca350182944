/** What `demo` is asked for. */
export interface DemoOptions {
  readonly users: number;
  readonly events: number;
  readonly seed: number;
  readonly partitions: number;
  readonly keep: boolean;
  readonly kill: boolean;
}
