import { readFileSync } from 'node:fs';

/** Of this package; `unknown` where it cannot be told. */
export function productVersion(): string {
  // Beside the sources, or one level further up from dist.
  for (const path of ['../../../package.json', '../../../../package.json']) {
    try {
      return (JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as { version: string }).version;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return 'unknown';
}
