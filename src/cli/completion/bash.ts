/** A script for bash 3.2 and newer; needs no bash-completion. */
import { PROGRAMS, type CompletedCommand } from './completions.ts';

export function bashCompletion(commands: readonly CompletedCommand[]): string {
  const paths = commands.map(({ path, words, options }) => {
    const names = [...words.map(({ name }) => name), ...options.flatMap((option) => option.names)];
    return `    ${quoted(path.join(' '))}) words=${quoted(names.join(' '))} ;;`;
  });
  const values = commands.flatMap(({ path, options }) =>
    options
      .filter(({ value }) => value !== 'none')
      .map(({ names, value }) => {
        const patterns = names.map((name) => quoted(`${path.join(' ')}:${name}`)).join('|');
        if (value === 'file') return `    ${patterns}) files=1 ;;`;
        return `    ${patterns}) words=${quoted(typeof value === 'string' ? '' : value.join(' '))} ;;`;
      }),
  );
  const known = commands.filter(({ path }) => path.length > 0).map(({ path }) => quoted(path.join(' ')));
  return `# bash completion for ${PROGRAMS.join(' and ')}
_money_enrichment() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} path='' words='' files='' word
  local i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="$path\${path:+ }\${COMP_WORDS[i]}"
    case $word in
    ${known.join('|')}) path=$word ;;
    esac
  done
  case $path in
${paths.join('\n')}
  esac
  case "$path:$before" in
${values.join('\n')}
  esac
  if [[ -n $files ]]; then
    # Names of files may have spaces.
    local IFS=$'\\n'
    COMPREPLY=($(compgen -f -- "$current"))
  else
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  fi
}
complete -o filenames -F _money_enrichment ${PROGRAMS.join(' ')}
`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
