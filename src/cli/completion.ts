/** `completion`: a script for the shell, out of the definitions of all commands, for both names of the program. */
import { Argument, Command } from 'commander';
import { bashCompletion } from './completion/bash.ts';
import { completionsOf } from './completion/completions.ts';
import { fishCompletion } from './completion/fish.ts';
import { zshCompletion } from './completion/zsh.ts';
import { result } from './document.ts';
import { createProgram } from './program.ts';

const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

export function completionCommand(): Command {
  return new Command('completion')
    .description('Prints a script that completes commands, options and their values in a shell.')
    .addArgument(new Argument('<shell>', 'the shell').choices(Object.keys(SHELLS)))
    .addHelpText(
      'after',
      `
bash:  source <(money-enrichment completion bash)                in ~/.bashrc
zsh:   source <(money-enrichment completion zsh)                 in ~/.zshrc, after compinit
fish:  money-enrichment completion fish | source                 in ~/.config/fish/config.fish

It completes both names of the program, also temporal-enrichment; Temporal's own script completes "temporal".`,
    )
    .action(async (shell: keyof typeof SHELLS) => {
      const all = completionsOf(await createProgram('money-enrichment', 'all', () => undefined));
      const script = SHELLS[shell](all);
      result({ shell, script }, () => script.trimEnd());
    });
}
