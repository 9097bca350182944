/** What almost every command begins with: environment, configuration, log. */
import type { Config, ConfigRequirements } from '../config.ts';
import { loadConfig, readEnvironment } from '../config.ts';
import { createLogger } from '../log.ts';
import type { Logger } from '../log.ts';

export interface Context {
  readonly env: NodeJS.ProcessEnv;
  readonly config: Config;
  readonly logger: Logger;
}

/** `quiet`: a command that people read shows warnings only, unless a level is configured. */
export function createContext(
  requirements: ConfigRequirements = {},
  options: { readonly quiet?: boolean } = {},
): Context {
  const env = readEnvironment(process.cwd());
  const config = loadConfig(env, requirements);
  const quiet = options.quiet === true && (env['ENRICHMENT_LOG_LEVEL'] ?? '') === '';
  return { env, config, logger: createLogger({ level: quiet ? 'error' : config.logLevel }) };
}
