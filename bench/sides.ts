/** What is compared: builds of the product, with settings of their own, and the bare touch. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A checkout or an installed package of any release, and what its processes find in their environment. */
export interface Build {
  readonly kind: 'build';
  readonly name: string;
  readonly program: string;
  readonly env: Readonly<Record<string, string>>;
}

/** `signalWithStart` and a task that does nothing, on the stock SDK: what no product on Temporal can be faster than. */
interface Bare {
  readonly kind: 'bare';
  readonly name: string;
}

export type Side = Build | Bare;

const OWN = fileURLToPath(new URL('..', import.meta.url));

/**
 * `NAME`, `NAME=FOLDER` or `NAME=FOLDER,SETTING=VALUE,...`; this checkout when no folder is named; `bare` is the bare touch. Throws for a
 * folder that has no product.
 */
export function sideOf(text: string): Side {
  const [, name = text, rest = ''] = /^([^=,]+)=?(.*)$/s.exec(text) ?? [];
  if (name === 'bare' && rest === '') return { kind: 'bare', name };
  const [folder = '', ...settings] = rest.split(',');
  const program = join(folder === '' ? OWN : resolve(folder), 'bin', 'money-enrichment.js');
  if (!existsSync(program)) throw new Error(`--side ${text}: there is no ${program}`);
  const env = settings.map((setting) => {
    const [, variable, value = ''] = /^([A-Z][A-Z0-9_]*)=(.*)$/s.exec(setting) ?? [];
    if (variable === undefined) throw new Error(`--side ${text}: expected SETTING=VALUE, got "${setting}"`);
    return [variable, value] as const;
  });
  return { kind: 'build', name, program, env: Object.fromEntries(env) };
}
