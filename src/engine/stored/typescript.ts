/** TypeScript for the records of a schema file: the types of the stored state are made of its schema, and of nothing else. */
import { isOptional } from './plain.ts';
import { isUnion, type FieldSchema, type RecordSchema, type Schema } from './schema.ts';

const PRIMITIVES: Readonly<Record<string, string>> = {
  null: 'null',
  boolean: 'boolean',
  int: 'number',
  long: 'number',
  string: 'string',
};
const WIDTH = 118;

/**
 * The module of one file. `source`: its path from the root; `imports`: types of other files that it uses, by the module that has
 * them.
 */
export function typescriptOf(
  source: string,
  records: readonly RecordSchema[],
  imports: Readonly<Record<string, readonly string[]>> = {},
): string {
  const head = [
    `/** Made of ${source} by \`npm run schemas:types\`. Change the schema, not this file. */`,
    ...Object.entries(imports).map(([from, names]) => `import type { ${names.join(', ')} } from '${from}';`),
    '',
  ];
  return [head.join('\n'), ...records.map(interfaceOf)].join('\n');
}

function interfaceOf({ name, doc, fields, discriminator, mutable }: RecordSchema): string {
  const lines = fields.flatMap((field) => [...comment(field.doc, '  '), `  ${propertyOf(field, mutable === true)};`]);
  if (discriminator !== undefined) lines.unshift(`  readonly type: '${discriminator}';`);
  return [...comment(doc, ''), `export interface ${name} {`, ...lines, '}', ''].join('\n');
}

function propertyOf(field: FieldSchema, mutable: boolean): string {
  const optional = isOptional(field);
  const type = optional && isUnion(field.type) ? field.type.filter((branch) => branch !== 'null') : field.type;
  return `${mutable ? '' : 'readonly '}${field.name}${optional ? '?' : ''}: ${typeOf(type, mutable)}`;
}

function typeOf(schema: Schema, mutable: boolean): string {
  const readonly = mutable ? '' : 'readonly ';
  if (typeof schema === 'string') return PRIMITIVES[schema] ?? schema;
  if (isUnion(schema)) return schema.map((branch) => typeOf(branch, mutable)).join(' | ');
  if ('values' in schema) {
    const record = `Record<string, ${typeOf(schema.values, mutable)}>`;
    return mutable ? record : `Readonly<${record}>`;
  }
  const item = typeOf(schema.items, mutable);
  if (schema.tuple !== undefined) return `${readonly}[${schema.tuple.map((name) => `${name}: ${item}`).join(', ')}]`;
  return `${readonly}${/\s/.test(item) ? `(${item})` : item}[]`;
}

function comment(doc: string | undefined, indent: string): string[] {
  if (doc === undefined) return [];
  if (doc.length + indent.length + 7 <= WIDTH) return [`${indent}/** ${doc} */`];
  const lines: string[] = [];
  for (const word of doc.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length + 1 > WIDTH - indent.length - 3) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return [`${indent}/**`, ...lines.map((line) => `${indent} * ${line}`), `${indent} */`];
}
