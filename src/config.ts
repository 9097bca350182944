/** The only reader of the environment. Everything is checked together, before anything runs. */
export interface KafkaConfig {
  readonly brokers: readonly string[];
  readonly ssl: boolean;
  /** PEM text or paths, as configured. */
  readonly sslCa?: string;
  readonly sslCert?: string;
  readonly sslKey?: string;
  readonly sasl?: { readonly mechanism: string; readonly username: string; readonly password: string };
}

export interface Topics {
  readonly user: string;
  readonly session: string;
  readonly money: string;
  readonly output: string;
  readonly deadLetter: string;
  /** `<output topic>-ledger`: compacted, as many partitions as the output topic. */
  readonly ledger: string;
}

export interface Config {
  readonly appId: string;
  /** Undefined: none is configured; only `dev` and `demo` can go on. */
  readonly kafka?: KafkaConfig;
  /** Whether a Temporal address is configured (environment or profile file). */
  readonly temporalConfigured: boolean;
  readonly topics: Topics;
  /** ms */
  readonly outOfOrderness: number;
  /** ms */
  readonly idleTimeout: number;
  /** ms, see Rules in domain/events.ts */
  readonly sessionTtl: number;
  readonly dedupTtl: number;
  readonly pendingTimeout: number;
  readonly lookupTimeout: number;
  readonly lookupGiveUpAfter: number;
  readonly maxFutureSkew: number;
  /** bytes of a record value */
  readonly maxRecordBytes: number;
  readonly sessionServiceUrl?: string;
  readonly standInCountry: string;
  /** ms */
  readonly standInDelay: number;
  readonly valueFormat: 'json' | 'avro';
  readonly schemaRegistryUrl?: string;
  readonly metricsPort: number;
  readonly logLevel: string;
}
