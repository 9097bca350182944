/** As much of a Dockerfile and of a .dockerignore as ours have; what else they say is refused, so that it is not passed over. */
export type Step =
  | { readonly type: 'run'; readonly command: string }
  | { readonly type: 'copy'; readonly from?: string; readonly sources: readonly string[]; readonly target: string };

export interface Stage {
  readonly name: string;
  readonly steps: readonly Step[];
}

/** Say nothing of what is in the image. */
const WITHOUT_EFFECT = new Set([
  'ENV',
  'USER',
  'EXPOSE',
  'HEALTHCHECK',
  'ENTRYPOINT',
  'CMD',
  'WORKDIR',
  'ARG',
  'LABEL',
]);

export function stagesOf(text: string): Stage[] {
  const stages: { name: string; steps: Step[] }[] = [];
  for (const line of text.replace(/\\\n/g, ' ').split('\n')) {
    const [, word = '', rest = ''] = /^([A-Z]+)\s+(.*)$/.exec(line.trim()) ?? [];
    if (word === '') {
      if (line.trim() !== '' && !line.startsWith('#')) throw new Error(`not understood: ${line}`);
    } else if (word === 'FROM') {
      stages.push({ name: / AS (\S+)$/.exec(rest)?.[1] ?? `${stages.length}`, steps: [] });
    } else if (word === 'WORKDIR') {
      if (rest !== '/app') throw new Error(`WORKDIR is ${rest}: expected /app`);
    } else if (word === 'RUN') {
      stages.at(-1)!.steps.push({ type: 'run', command: rest });
    } else if (word === 'COPY') {
      const [, from, paths = ''] = /^(?:--from=(\S+)\s+)?(.*)$/.exec(rest) ?? [];
      const all = paths.trim().split(/\s+/);
      stages.at(-1)!.steps.push({
        type: 'copy',
        ...(from === undefined ? {} : { from }),
        sources: all.slice(0, -1),
        target: all.at(-1)!,
      });
    } else if (!WITHOUT_EFFECT.has(word)) throw new Error(`not understood: ${line}`);
  }
  return stages;
}

/** What the image runs before the arguments of a container: the words after `node`. */
export function entrypointOf(text: string): string[] {
  const [node, ...words] = JSON.parse(/^ENTRYPOINT (\[.*\])$/m.exec(text)?.[1] ?? '[]') as string[];
  if (node !== 'node') throw new Error('expected ENTRYPOINT ["node", ...]');
  return words;
}

/** Whether a file of the context is left out; lines are names of files and folders at its root. */
export function ignoredBy(text: string): (file: string) => boolean {
  const names = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  for (const name of names) if (/[*?!/[\]]/.test(name)) throw new Error(`not understood in .dockerignore: ${name}`);
  return (file) => names.some((name) => file === name || file.startsWith(`${name}/`));
}
