import type { Fresh } from '../process/secret-file.ts';

/** How Kafka is reached. */
export interface KafkaConfig {
  readonly brokers: readonly string[];
  /** Under which brokers log and limit its requests; `money-enrichment` when absent. */
  readonly clientId?: string;
  /**
   * ms after which a member of a group that is not heard counts as dead, unless it is static (`session.timeout.ms`). When absent
   * 3,000, or 6,000 from brokers that take no less (`group.min.session.timeout.ms`).
   */
  readonly sessionTimeout?: number;
  readonly ssl: boolean;
  /** PEM text, the path of a file, or what gives the text: all but a text are read again for each connection. */
  readonly sslCa?: Fresh;
  readonly sslCert?: Fresh;
  readonly sslKey?: Fresh;
  readonly sslKeyPassphrase?: Fresh;
  readonly sasl?: Sasl;
}

export type Sasl =
  | {
      /** `plain`, `scram-sha-256` or `scram-sha-512`. */
      readonly mechanism: string;
      readonly username: string;
      /** A function is asked again for each connection. */
      readonly password: Fresh;
    }
  | {
      readonly mechanism: 'oauthbearer';
      /** The token, asked for each connection and each time that the broker wants it anew. */
      readonly token: () => Promise<string>;
      /** The broker did not take the last one. */
      readonly refused: () => void;
      /** Epoch ms of the last one. */
      readonly life?: () => { readonly issuedAt: number | undefined; readonly expiresAt: number | undefined };
      /** What the broker is told beside it, such as `logicalCluster`. */
      readonly extensions?: Readonly<Record<string, string>>;
    };
