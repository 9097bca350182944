/** Where a value is not what JSON gives back, in words; undefined where it is. A property that is undefined may be there. */
export function whyNotJson(value: unknown, place: string): string | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return undefined;
    case 'number':
      return Number.isFinite(value) ? undefined : `${place} is ${value}`;
    case 'object':
      return value === null ? undefined : whyNoPlainObject(value, place);
    default:
      return `${place} is of the type ${typeof value}`;
  }
}

function whyNoPlainObject(value: object, place: string): string | undefined {
  if (Array.isArray(value)) {
    return first(value.map((item, index) => () => whyNotJson(item, `${place}[${index}]`)));
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    return `${place} is an object of the class ${value.constructor.name}`;
  }
  return first(
    Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .map(
        ([name, item]) =>
          () =>
            whyNotJson(item, `${place}.${name}`),
      ),
  );
}

function first(checks: readonly (() => string | undefined)[]): string | undefined {
  for (const check of checks) {
    const found = check();
    if (found !== undefined) return found;
  }
  return undefined;
}
