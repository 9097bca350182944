import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Command } from 'commander';
import { createProgram } from '../../src/cli/program.ts';
import { nextOf } from '../../src/cli/next.ts';
import { acceptCommand } from '../../src/money/bridge/settings.ts';

const ROOT = new URL('../..', import.meta.url).pathname;

/** Commands that a text tells people to run, without what is only an example of an argument. */
function commandsIn(text: string): string[] {
  const found = text
    .replace(/<(\w+)>/g, '$1')
    .matchAll(/\bmoney-enrichment ((?:--help|[a-z]+)(?:[ -][^\s"'`|#,;()\\&<>]+)*)/g);
  return [...found].map(([, command = '']) =>
    command
      .replace(/\$\{partition\}/g, '0')
      .replace(/\$\{[^}]*\}/g, 'x')
      .replace(/[.:]$/, '')
      .trim(),
  );
}

function filesBelow(folder: string, ending: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name));
}

/** The first thing that is wrong with each line; no command is run. */
async function wrong(lines: readonly (readonly [place: string, command: string])[]): Promise<string[]> {
  const problems: string[] = [];
  for (const [place, line] of lines) {
    const program = await createProgram('money-enrichment', 'all', () => undefined);
    const idle = (command: Command): void => {
      if (command !== program) command.action(() => undefined);
      command.commands.forEach(idle);
    };
    idle(program);
    await program.parseAsync(line.split(/ +/), { from: 'user' }).catch((error: Error & { exitCode?: number }) => {
      if (error.exitCode !== 0) problems.push(`${place}: ${line}: ${error.message}`);
    });
  }
  return problems;
}

test('commands that messages name run as printed', async () => {
  const files = ['src', 'workflows', 'activities'].flatMap((folder) => filesBelow(folder, '.ts'));
  const lines = files.flatMap((file) =>
    readFileSync(join(ROOT, file), 'utf8')
      .split('\n')
      .filter((line) => !/^\s*(\*|\/\/|\/\*)|\.map\(/.test(line))
      .flatMap((line) => commandsIn(line).map((command) => [file, command] as const)),
  );
  assert.ok(lines.length > 15, `found ${lines.length}`);
  assert.deepEqual(await wrong(lines), []);
});

test('so do those that are put together', async () => {
  // Which place is a person's decision, and none is proposed.
  const accept = commandsIn(acceptCommand(['wallet-events', 'user-events']).replace('<place>', 'beginning'));
  assert.deepEqual(accept, ['topics --accept wallet-events --accept user-events --from beginning']);
  const help = nextOf('USAGE', '', 'dead-letters').replace('money-enrichment ', '');
  assert.deepEqual(await wrong([...accept, help].map((command) => ['', command] as const)), []);
});

test('and those of the documentation', async () => {
  const files = ['README.md', ...filesBelow('docs', '.md')];
  const lines = files.flatMap((file) =>
    readFileSync(join(ROOT, file), 'utf8')
      .split('\n')
      .filter((line) => /^\s*(npx )?money-enrichment /.test(line) && !line.includes('<command>'))
      .flatMap((line) => commandsIn(line).map((command) => [file, command] as const)),
  );
  assert.ok(lines.length > 20, `found ${lines.length}`);
  assert.deepEqual(await wrong(lines), []);
});
