/** The environment: what is set (secrets masked), what is wrong, what means nothing. */
import type { Config } from '../../money/config.ts';
import { loadConfig, unknownVariables } from '../../money/config.ts';
import { shown } from '../../engine/process/environment-reader.ts';
import { CodedError } from '../../engine/errors.ts';
import { failed, ok, warning } from './finding.ts';
import type { Finding } from './finding.ts';

const OURS = /^(KAFKA|ENRICHMENT|TEMPORAL|SCHEMA_REGISTRY)_/;
const ALL = { requireKafka: true, requireTemporal: true, requireSessionService: true };

export interface ConfigurationCheck {
  /** Undefined when it is too wrong to go on. What is merely missing leaves its part out. */
  readonly config: Config | undefined;
  readonly findings: readonly Finding[];
  /** As loadConfig words them. */
  readonly problems: readonly string[];
}

export function checkConfiguration(env: NodeJS.ProcessEnv): ConfigurationCheck {
  const problems = problemsOf(() => loadConfig(env, ALL));
  const set = Object.keys(env)
    .filter((name) => OURS.test(name) && env[name] !== '')
    .sort()
    .map((name) => `${name}=${shown(name, env[name] ?? '')}`);
  const described = set.length === 0 ? 'nothing is set, all defaults' : set.join(' ');
  const findings = [
    ...(problems.length === 0
      ? [ok('configuration', described)]
      : problems.map((line) => failed('configuration', line))),
    ...unknownVariables(env).map((name) => warning('configuration', `${name} means nothing here: misspelt?`)),
  ];
  let config: Config | undefined;
  const fatal = problemsOf(() => (config = loadConfig(env)));
  return { config: fatal.length === 0 ? config : undefined, findings, problems };
}

function problemsOf(load: () => unknown): string[] {
  try {
    load();
    return [];
  } catch (error) {
    if (error instanceof CodedError) return error.message.split('\n');
    throw error;
  }
}
