/**
 * kafkajs' fetch manager that stays stopped. The original makes new fetchers when the brokers have changed, and does so
 * too if it was told to stop meanwhile. Nobody stops those any more; as the consumer does not run, each of their fetches is
 * at once an empty answer, and the process turns in a circle in which no timer and no connection gets its turn again.
 */
interface FetchManager {
  start(): Promise<void>;
  stop(): Promise<void>;
}

interface FetchManagerOptions {
  readonly fetch: (nodeId: string) => Promise<unknown[]>;
}

export type CreateFetchManager<T extends FetchManagerOptions = FetchManagerOptions> = (options: T) => FetchManager;

/** `create`: kafkajs' own. After stop() a start that is under way ends with an error, and asks for nothing more. */
export function stayingStopped<T extends FetchManagerOptions>(create: CreateFetchManager<T>): CreateFetchManager<T> {
  return (options) => {
    let stopped = false;
    const fetch = async (nodeId: string): Promise<unknown[]> => {
      if (stopped) throw new Error('the consumer is stopped');
      return options.fetch(nodeId);
    };
    const manager = create({ ...options, fetch });
    return {
      ...manager,
      stop() {
        stopped = true;
        return manager.stop();
      },
    };
  };
}
