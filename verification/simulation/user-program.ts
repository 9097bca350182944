/** The product's workflow, on what the simulation has in Temporal's place. */
import { runEntity } from '../../src/engine/workflow/entity/run-entity.ts';
import { userEntity } from '../../workflows/user-entity.ts';
import { storedBytes } from './temporal/limits.ts';
import type { Program } from './temporal/program.ts';

export const userProgram: Program = {
  begin: (port, start) => runEntity(port, userEntity, start),
  bytesOf: storedBytes,
};
