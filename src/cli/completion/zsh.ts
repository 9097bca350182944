/** A script for zsh: to be sourced after compinit, or put into a folder of $fpath as _money-enrichment. */
import { PROGRAMS, type CompletedCommand, type CompletedOption } from './completions.ts';

export function zshCompletion(commands: readonly CompletedCommand[]): string {
  const cases = commands.map(({ path, words, options }) => {
    const described = words.map(({ name, description }) => quoted(`${escaped(name)}:${description}`));
    const specs = options.flatMap((option) => specsOf(option)).map(quoted);
    return `  ${quoted(path.join(' '))})
    words_of=(${described.join(' ')})
    specs=(${specs.join(' ')})
    ;;`;
  });
  const known = commands.filter(({ path }) => path.length > 0).map(({ path }) => quoted(path.join(' ')));
  return `#compdef ${PROGRAMS.join(' ')}
_money_enrichment() {
  local at='' next='' i first=1
  local -a words_of specs
  for ((i = 2; i < CURRENT; i++)); do
    next="$at\${at:+ }\${words[i]}"
    case $next in
    ${known.join('|')}) at=$next; first=$i ;;
    esac
  done
  case $at in
${cases.join('\n')}
  esac
  # From the command on, so that its own options and arguments are counted.
  words=("\${(@)words[first,-1]}")
  ((CURRENT -= first - 1))
  _arguments -S : $specs '*:: :{_describe value words_of}'
}
compdef _money_enrichment ${PROGRAMS.join(' ')}
`;
}

function specsOf({ names, description, value }: CompletedOption): string[] {
  const text = description.replace(/[[\]\\]/g, ' ');
  const action =
    typeof value === 'string'
      ? { none: '', file: ':file:_files', any: ':value: ' }[value]
      : `:value:(${value.join(' ')})`;
  return names.map((name) => `${name}[${text}]${action}`);
}

function escaped(text: string): string {
  return text.replaceAll(':', '\\:');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
