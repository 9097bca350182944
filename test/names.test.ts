/** One exported type, one name: whoever searches for it finds one place. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Names of the exported interfaces, types, classes and enums that a file declares. Names that are handed on are not its own. */
function declaredIn(file: string, text: string): string[] {
  return ts
    .createSourceFile(file, text, ts.ScriptTarget.Latest)
    .statements.filter(
      (statement) =>
        ts.isInterfaceDeclaration(statement) ||
        ts.isTypeAliasDeclaration(statement) ||
        ts.isClassDeclaration(statement) ||
        ts.isEnumDeclaration(statement),
    )
    .filter(({ modifiers }) => modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true)
    .flatMap(({ name }) => (name === undefined ? [] : [name.text]));
}

/** Those that more than one file declares, with the files. */
function declaredTwice(files: readonly (readonly [file: string, text: string])[]): Record<string, string[]> {
  const places = new Map<string, string[]>();
  for (const [file, text] of files) {
    for (const name of new Set(declaredIn(file, text))) places.set(name, [...(places.get(name) ?? []), file]);
  }
  return Object.fromEntries(
    [...places].filter(([, found]) => found.length > 1).map(([name, found]) => [name, found.sort()]),
  );
}

test('no exported type name is declared twice', () => {
  const files = ['src', 'workflows', 'activities'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => [`${folder}/${name}`, readFileSync(join(ROOT, folder, name), 'utf8')] as const),
  );
  assert.ok(files.length > 200);
  assert.deepEqual(declaredTwice(files), {});
});

test('every kind of declaration counts, and what is handed on or not exported does not', () => {
  const text = `
    export interface A {}
    export type B = string;
    export class C {}
    export abstract class D {}
    export enum E {}
    interface F {}
    export type { G } from './g.ts';
    export const H = 1;
  `;
  assert.deepEqual(
    Object.keys(
      declaredTwice([
        ['a.ts', text],
        ['b.ts', text],
      ]),
    ),
    ['A', 'B', 'C', 'D', 'E'],
  );
});
