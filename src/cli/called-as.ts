/** The name by which the program was called: its own, or that of Temporal's command line, which runs it as a command of its own. */
import { COMMANDS } from './commands.ts';

export type Name = 'money-enrichment' | 'temporal enrichment';

let name: Name = 'money-enrichment';

export function callAs(called: Name): void {
  name = called;
}

export function calledName(): Name {
  return name;
}

/** Messages are written with the program's own name: here its commands get the one by which it was called. */
export function asCalled(text: string, called: Name = name): string {
  if (called === 'money-enrichment') return text;
  const followers = ['--help', ...COMMANDS.map((command) => command.name)].join('|');
  return text.replace(new RegExp(`(?:npx )?\\bmoney-enrichment(?= (?:${followers})(?![\\w-]))`, 'g'), called);
}
