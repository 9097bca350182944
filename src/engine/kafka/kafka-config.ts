/** How Kafka is reached. */
export interface KafkaConfig {
  readonly brokers: readonly string[];
  /** Under which brokers log and limit its requests; `money-enrichment` when absent. */
  readonly clientId?: string;
  readonly ssl: boolean;
  /** PEM text or paths, as configured. */
  readonly sslCa?: string;
  readonly sslCert?: string;
  readonly sslKey?: string;
  readonly sasl?: { readonly mechanism: string; readonly username: string; readonly password: string };
}
