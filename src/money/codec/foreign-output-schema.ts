/**
 * Another schema for the output, as a registry has it under our subject: whether every output can be written with it and
 * read as ours. It may have more fields, with defaults, in any order, under any name of the record, and may allow null
 * or more where ours does not. It may not leave out a field, nor demand another type.
 */
import avsc from 'avsc';
import { parseWriterSchema } from '../../engine/values/avro/schema.ts';
import { outputSchema } from './avro-output.ts';

/** `type` writes outputs; `unfit` names the field and what is wrong with it. */
export function outputTypeOf(
  text: string,
  references: readonly string[] = [],
): { readonly type: avsc.Type } | { readonly unfit: string } {
  const parsed = parseWriterSchema(text, references);
  if ('unusable' in parsed) return { unfit: parsed.unusable };
  let type: avsc.Type;
  try {
    const registry = {};
    for (const reference of references) avsc.Type.forSchema(JSON.parse(reference) as avsc.Schema, { registry });
    type = avsc.Type.forSchema(JSON.parse(text) as avsc.Schema, { registry });
  } catch (error) {
    return { unfit: `it is not valid Avro: ${(error as Error).message}` };
  }
  const unfit = misfit(avsc.Type.forSchema(JSON.parse(outputSchema()) as avsc.Schema), type, 'value');
  return unfit === undefined ? { type } : { unfit };
}

/** Why not every value of `ours` is one of `theirs`; `at`: the field. */
function misfit(ours: avsc.Type, theirs: avsc.Type, at: string): string | undefined {
  const branches = branchesOf(theirs);
  if (branches === undefined) return `${at}: its union has branches that cannot be told apart`;
  for (const branch of branchesOf(ours) ?? []) {
    const same = branches.find(({ typeName }) => typeName === branch.typeName);
    if (same === undefined) {
      return `${at}: expected ${branch.typeName}, it has ${branches.map(({ typeName }) => typeName).join(', ')}`;
    }
    const unfit = isRecord(branch) && isRecord(same) ? recordMisfit(branch, same, at) : undefined;
    if (unfit !== undefined) return unfit;
  }
  return undefined;
}

function recordMisfit(ours: avsc.types.RecordType, theirs: avsc.types.RecordType, at: string): string | undefined {
  const pathOf = (name: string): string => (at === 'value' ? name : `${at}.${name}`);
  for (const { name, type } of ours.fields) {
    const field = theirs.fields.find((one) => one.name === name);
    const unfit =
      field === undefined ? `${pathOf(name)}: it has no such field` : misfit(type, field.type, pathOf(name));
    if (unfit !== undefined) return unfit;
  }
  const known = new Set(ours.fields.map(({ name }) => name));
  const more = theirs.fields.find((field) => !known.has(field.name) && field.defaultValue() === undefined);
  return more === undefined ? undefined : `${pathOf(more.name)}: nothing writes it, and it has no default`;
}

function isRecord(type: avsc.Type): type is avsc.types.RecordType {
  return type.typeName === 'record';
}

/** Undefined where a value does not say which branch it is of. */
function branchesOf(type: avsc.Type): readonly avsc.Type[] | undefined {
  if (type.typeName === 'union:wrapped') return undefined;
  return type.typeName === 'union:unwrapped' ? (type as avsc.types.UnwrappedUnionType).types : [type];
}
