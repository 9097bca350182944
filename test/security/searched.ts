/** Makes text to be searched out of everything that a protobuf message of Temporal holds, payloads and all. */

/** All strings and bytes of a message, those of its payloads too. */
export function textOf(message: unknown): string {
  return collect(message, true, []).join('\n');
}

/** The same without the data of payloads: ids, names, failures, search attributes' names, headers, times. */
export function frameOf(message: unknown): string {
  return collect(message, false, []).join('\n');
}

function collect(value: unknown, payloads: boolean, found: string[]): string[] {
  if (typeof value === 'string') found.push(value);
  else if (value instanceof Uint8Array) found.push(Buffer.from(value).toString('utf8'));
  else if (Array.isArray(value)) for (const one of value) collect(one, payloads, found);
  else if (typeof value === 'object' && value !== null) {
    const isPayload = 'metadata' in value && 'data' in value && value.data instanceof Uint8Array;
    for (const [name, one] of Object.entries(value)) {
      if (isPayload && name === 'data' && !payloads) continue;
      found.push(name);
      collect(one, payloads, found);
    }
  }
  return found;
}

/** The names of the marks that occur in `text`, whatever their case. */
export function marksIn(text: string, marks: Readonly<Record<string, string>>): string[] {
  const lower = text.toLowerCase();
  return Object.entries(marks)
    .filter(([, mark]) => lower.includes(mark.toLowerCase()))
    .map(([name]) => name);
}
