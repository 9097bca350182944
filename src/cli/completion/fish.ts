/** A script for fish 3 and newer. */
import { PROGRAMS, type CompletedCommand, type CompletedOption } from './completions.ts';

export function fishCompletion(commands: readonly CompletedCommand[]): string {
  const known = commands.filter(({ path }) => path.length > 0).map(({ path }) => quoted(path.join(' ')));
  const lines = PROGRAMS.flatMap((program) => [
    `complete -c ${program} -f`,
    ...commands.flatMap(({ path, words, options }) => {
      const condition = `-n ${quoted(`__money_enrichment_at ${quoted(path.join(' '))}`)}`;
      return [
        ...words.map(
          ({ name, description }) => `complete -c ${program} ${condition} -a ${quoted(name)} -d ${quoted(description)}`,
        ),
        ...options.map((option) => `complete -c ${program} ${condition} ${optionOf(option)}`),
      ];
    }),
  ]);
  return `# fish completion for ${PROGRAMS.join(' and ')}
function __money_enrichment_at
    set -l at ''
    for word in (commandline -opc)[2..-1]
        set -l next (string trim -- "$at $word")
        if contains -- $next ${known.join(' ')}
            set at $next
        end
    end
    test "$at" = "$argv[1]"
end
${lines.join('\n')}
`;
}

function optionOf({ names, description, value }: CompletedOption): string {
  const flags = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`)).join(' ');
  const taken =
    value === 'none' ? '' : value === 'file' ? ' -r -F' : value === 'any' ? ' -x' : ` -x -a ${quoted(value.join(' '))}`;
  return `${flags}${taken} -d ${quoted(description)}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
