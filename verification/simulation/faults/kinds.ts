/** Every kind of fault, by name. */
import { FOREIGN_FAULTS } from './foreign.ts';
import { LOG_FAULTS } from './logs.ts';
import { OTHER_LOG_FAULTS } from './other-logs.ts';
import { PARTITION_FAULTS } from './partitions.ts';
import { PEOPLE_FAULTS } from './people.ts';
import { PROCESS_FAULTS } from './processes.ts';
import { SERVER_FAULTS } from './servers.ts';
import { SESSION_FAULTS } from './sessions.ts';

export const KINDS = {
  ...PROCESS_FAULTS,
  ...SERVER_FAULTS,
  ...SESSION_FAULTS,
  ...PARTITION_FAULTS,
  ...LOG_FAULTS,
  ...OTHER_LOG_FAULTS,
  ...FOREIGN_FAULTS,
  ...PEOPLE_FAULTS,
};
export type Fault = keyof typeof KINDS;
