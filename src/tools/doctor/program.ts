/** Node and the libraries whose exact versions matter. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { messageOf } from '../../engine/errors.ts';
import { KAFKAJS_VERSION, library } from '../../engine/kafka/kafkajs/library.ts';
import { failed, ok } from './finding.ts';
import type { Finding } from './finding.ts';

const OLDEST_NODE = [20, 12] as const;
const TEMPORAL = ['activity', 'client', 'common', 'envconfig', 'worker', 'workflow'].map(
  (name) => `@temporalio/${name}`,
);

export function checkProgram(): Finding[] {
  return [nodeVersion(process.versions.node), kafkajs(), temporal()];
}

export function nodeVersion(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_NODE;
  const fits = major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
  return fits
    ? ok('Node', version)
    : failed('Node', `${version}, expected ${OLDEST_NODE.join('.')} or newer: install a newer one`);
}

function kafkajs(): Finding {
  try {
    library();
    return ok('kafkajs', `${KAFKAJS_VERSION}, patched`);
  } catch (error) {
    return failed('kafkajs', messageOf(error));
  }
}

function temporal(): Finding {
  const versions = new Map(TEMPORAL.map((name) => [name, versionOf(name)]));
  const [first] = versions.values();
  return [...versions.values()].every((version) => version === first)
    ? ok('Temporal SDK', `${first ?? 'unknown'}, all ${TEMPORAL.length} packages`)
    : failed(
        'Temporal SDK',
        `its packages must have one version, found ${[...versions].map((entry) => entry.join(' ')).join(', ')}: run npm ci`,
      );
}

function versionOf(name: string): string {
  const require = createRequire(import.meta.url);
  // Not every package exports its package.json.
  for (const folder of require.resolve.paths(name) ?? []) {
    try {
      return (JSON.parse(readFileSync(join(folder, name, 'package.json'), 'utf8')) as { version: string }).version;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return messageOf(error);
    }
  }
  return `missing (beside ${dirname(import.meta.url)})`;
}
