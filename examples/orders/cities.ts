/** The question to the outside: where does a customer live? */

/** ms of one attempt. */
const TIMEOUT = 2_000;

/** `GET <url>/<customer>` answers `{"city":"..."}`. What is no answer is thrown, and asked again until the question is given up. */
export function cities(url: string): (customer: string, signal: AbortSignal) => Promise<string> {
  return async (customer, signal) => {
    const response = await fetch(`${url}/${encodeURIComponent(customer)}`, {
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT)]),
    });
    if (response.status !== 200) throw new Error(`status ${response.status}`);
    const { city } = Object(await response.json()) as { readonly city?: unknown };
    if (typeof city !== 'string') throw new Error('no city in the answer');
    return city;
  };
}

/** Where there is no such service. */
export const anyCity = async (customer: string): Promise<string> => `the city of ${customer}`;
