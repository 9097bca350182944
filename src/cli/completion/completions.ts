/** What can be completed, out of commander's definitions. */
import type { Command, Option } from 'commander';

/** The programs that the scripts complete. */
export const PROGRAMS = ['money-enrichment', 'temporal-enrichment'] as const;

export interface CompletedOption {
  /** `--json`, `-h` */
  readonly names: readonly string[];
  readonly description: string;
  /** What may stand behind it: one of these, a file, or anything. */
  readonly value: 'none' | 'file' | 'any' | readonly string[];
}

export interface CompletedCommand {
  /** From the program on: `[]` is the program itself, `['dead-letters', 'retry']` a command of a command. */
  readonly path: readonly string[];
  readonly description: string;
  readonly options: readonly CompletedOption[];
  /** Names of the commands below, and the choices of its first argument. */
  readonly words: readonly { readonly name: string; readonly description: string }[];
}

/** The program first, every command before its own. */
export function completionsOf(program: Command, path: readonly string[] = []): CompletedCommand[] {
  const help = program.createHelp();
  const commands = program.commands.filter((command) => command.name() !== 'help');
  const choices = program.registeredArguments[0]?.argChoices ?? [];
  const own: CompletedCommand = {
    path,
    description: program.summary() || firstSentence(program.description()),
    options: help.visibleOptions(program).map(completed),
    words: [
      ...commands.map((command) => ({
        name: command.name(),
        description: command.summary() || firstSentence(command.description()),
      })),
      ...choices.map((name) => ({ name, description: '' })),
    ],
  };
  return [own, ...commands.flatMap((command) => completionsOf(command, [...path, command.name()]))];
}

function completed(option: Option): CompletedOption {
  const takesValue = option.required || option.optional;
  const file = /<(file|dir|folder)(\.\.\.)?>/.test(option.flags);
  return {
    names: [option.long, option.short].filter((name) => typeof name === 'string'),
    description: firstSentence(option.description),
    value: !takesValue ? 'none' : (option.argChoices ?? (file ? 'file' : 'any')),
  };
}

function firstSentence(text: string): string {
  return (text.split('\n')[0] ?? '').replace(/[.;:,(].*$/s, '').trim();
}
