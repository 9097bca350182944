/** The access list of docs/security.md, as it stands there, and how it is granted. */
import { readFileSync } from 'node:fs';
import type { Config } from '../../src/money/config.ts';
import type { KafkaConfig } from '../../src/engine/kafka/kafka-config.ts';
import { createClient, PATIENT_RETRY } from '../../src/engine/kafka/kafkajs/client.ts';
import { library } from '../../src/engine/kafka/kafkajs/library.ts';
import { createLogger } from '../../src/engine/log.ts';

export interface Row {
  readonly process: string;
  readonly resource: 'topic' | 'group' | 'transactional id' | 'cluster';
  readonly name: string;
  /** Every resource whose name begins with `name`. */
  readonly prefixed: boolean;
  readonly operations: readonly string[];
}

const DOCUMENT = new URL('../../docs/security.md', import.meta.url);
const PLACEHOLDER = /<([a-z ]+)>/g;

/** The rows of the table, with the names of a configuration in place of the placeholders. */
export function accessList({ appId, topics }: Pick<Config, 'appId' | 'topics'>): Row[] {
  const names: Readonly<Record<string, string>> = {
    app: appId,
    users: topics.user,
    sessions: topics.session,
    wallet: topics.money,
    output: topics.output,
    ledger: topics.ledger,
    'dead letters': topics.deadLetter,
    yours: 'consumers',
  };
  const rows: Row[] = [];
  for (const line of readFileSync(DOCUMENT, 'utf8').split('\n')) {
    const [, process = '', resource = '', written = '', operations = ''] = line.split('|').map((cell) => cell.trim());
    if (resource !== 'topic' && resource !== 'group' && resource !== 'transactional id' && resource !== 'cluster') {
      continue;
    }
    for (const [, quoted = ''] of written.matchAll(/`([^`]+)`/g)) {
      const name = quoted.replace(PLACEHOLDER, (_, placeholder: string) => {
        const value = names[placeholder];
        if (value === undefined) throw new Error(`docs/security.md: no name for <${placeholder}>`);
        return value;
      });
      rows.push({
        process: process.replaceAll('`', ''),
        resource,
        name: name.replace(/\*$/, ''),
        prefixed: name.endsWith('*'),
        operations: operations.split(', '),
      });
    }
  }
  return rows;
}

/** Gives the rows of one process to a user, and nothing else. */
export async function grant(admin: KafkaConfig, user: string, rows: readonly Row[]): Promise<void> {
  const { AclResourceTypes, AclOperationTypes, AclPermissionTypes, ResourcePatternTypes } = library();
  const types = {
    topic: AclResourceTypes.TOPIC,
    group: AclResourceTypes.GROUP,
    'transactional id': AclResourceTypes.TRANSACTIONAL_ID,
    cluster: AclResourceTypes.CLUSTER,
  };
  const client = createClient(admin, createLogger({ level: 'silent' }), { retry: PATIENT_RETRY });
  const connection = client.kafka.admin();
  try {
    await connection.connect();
    await connection.createAcls({
      acl: rows.flatMap(({ resource, name, prefixed, operations }) =>
        operations.map((operation) => ({
          resourceType: types[resource],
          resourceName: name,
          resourcePatternType: prefixed ? ResourcePatternTypes.PREFIXED : ResourcePatternTypes.LITERAL,
          principal: `User:${user}`,
          host: '*',
          operation:
            AclOperationTypes[
              operation.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase() as keyof typeof AclOperationTypes
            ],
          permissionType: AclPermissionTypes.ALLOW,
        })),
      ),
    });
  } finally {
    await connection.disconnect();
    client.destroy();
  }
}
