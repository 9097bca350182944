import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Command, Option } from 'commander';
import { bashCompletion } from '../../src/cli/completion/bash.ts';
import { completionsOf } from '../../src/cli/completion/completions.ts';
import { fishCompletion } from '../../src/cli/completion/fish.ts';
import { zshCompletion } from '../../src/cli/completion/zsh.ts';
import { program } from './program.ts';

describe('bash completes', () => {
  let folder = '';
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'completion-'));
    const { code, stdout, stderr } = await program(['completion', 'bash']);
    assert.equal(code, 0, stderr);
    writeFileSync(join(folder, 'script'), stdout);
    writeFileSync(join(folder, 'a state.json'), '');
  });
  after(() => rmSync(folder, { recursive: true }));

  /** What Tab offers behind the line; a space at its end begins a new word. As readline does it: by the function that `complete -p` names. */
  const offered = (line: string): string[] => {
    const words = line.split(' ');
    const script = `source ./script
      function=$(complete -p "$1" | sed 's/.* -F \\([^ ]*\\) .*/\\1/')
      COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=\${#COMP_LINE}
      $function "$1" "\${!#}" "\${@:$#-1:1}"
      ((\${#COMPREPLY[@]})) && printf '%s\\n' "\${COMPREPLY[@]}"; true`;
    const text = execFileSync('bash', ['--norc', '-c', script, 'bash', ...words], { cwd: folder, encoding: 'utf8' });
    return text.split('\n').filter((word) => word !== '');
  };

  for (const name of ['money-enrichment', 'temporal-enrichment']) {
    test(`commands of ${name}`, () => {
      assert.deepEqual(offered(`${name} de`), ['demo', 'dev', 'dead-letters']);
      assert.deepEqual(offered(`${name} doc`), ['doctor']);
    });
  }
  test('options, and those of a command of a command', () => {
    assert.deepEqual(offered('money-enrichment generate --da'), []);
    assert.deepEqual(offered('money-enrichment generate --du'), ['--duplicates']);
    assert.deepEqual(offered('money-enrichment dead-letters --v'), ['--values']);
    assert.deepEqual(offered('money-enrichment dead-letters --limit 5 r'), ['retry', 'release']);
    assert.deepEqual(offered('money-enrichment dead-letters retry --f'), ['--force']);
    assert.deepEqual(offered('money-enrichment dead-letters retry --v'), []);
  });
  test('values: choices, files, and nothing where it cannot know', () => {
    assert.deepEqual(offered('money-enrichment export --format '), ['json', 'avro']);
    assert.deepEqual(offered('money-enrichment dead-letters retry --reason f'), ['future']);
    assert.deepEqual(offered('money-enrichment completion '), ['bash', 'zsh', 'fish', '--json', '--help', '-h']);
    assert.deepEqual(offered('money-enrichment bootstrap --from '), ['a state.json', 'script']);
    assert.deepEqual(offered('money-enrichment backfill --output-topic '), []);
  });
});

const SHOP = new Command('shop')
  .addCommand(
    new Command('sell')
      .summary("a customer's order")
      .addOption(new Option('--kind <kind>', 'what: it is').choices(['tea', 'rum']))
      .option('--out <file>', 'where to')
      .option('-q, --quiet', 'say nothing [at all]'),
  )
  .addCommand(new Command('close'));

test('what is completed is what commander knows', () => {
  const [shop, sell, close] = completionsOf(SHOP);
  assert.deepEqual(shop?.words, [
    { name: 'sell', description: "a customer's order" },
    { name: 'close', description: '' },
  ]);
  assert.deepEqual(sell?.path, ['sell']);
  assert.deepEqual(sell?.options, [
    { names: ['--kind'], description: 'what', value: ['tea', 'rum'] },
    { names: ['--out'], description: 'where to', value: 'file' },
    { names: ['--quiet', '-q'], description: 'say nothing [at all]', value: 'none' },
    { names: ['--help', '-h'], description: 'display help for command', value: 'none' },
  ]);
  assert.deepEqual(close?.options.length, 1);
});

test('quotes and brackets do not end the words of a shell', () => {
  const all = completionsOf(SHOP);
  assert.match(zshCompletion(all), /'sell:a customer'\\''s order'/);
  assert.match(zshCompletion(all), /'--quiet\[say nothing {2}at all \]'/);
  assert.match(zshCompletion(all), /'--kind\[what\]:value:\(tea rum\)'/);
  assert.match(fishCompletion(all), /-a 'sell' -d 'a customer\\'s order'/);
  assert.match(fishCompletion(all), /-l kind -x -a 'tea rum' -d 'what'/);
  assert.match(bashCompletion(all), /'sell:--kind'\) words='tea rum' ;;/);
});
