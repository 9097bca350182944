/** How a value that outlives a deployment is marked on its way from a workflow to the payload codec, which stores it by its schema. */

/** The property that names the type of a stored value on its way through src/engine/temporal/payload-codec.ts. */
export const TYPE_MARK = '$type';

/** The property of what stands for a payload that cannot be read: why. */
export const UNREADABLE = '$unreadable';

/** A value that outlives a deployment, marked for being stored by its schema. The mark is its first property. */
export function stored<T extends object>(type: string, value: T): T {
  return { [TYPE_MARK]: type, ...value };
}
