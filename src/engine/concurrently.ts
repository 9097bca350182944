/** Results as they come, at most `limit` under way, and no more begun than are taken. Errors: those of `items`; `work` is not to throw. */
export async function* concurrently<T, R>(
  items: AsyncIterable<T>,
  limit: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const underWay = new Map<number, Promise<{ readonly key: number; readonly result: R }>>();
  let next = 0;
  const first = async (): Promise<R> => {
    const { key, result } = await Promise.race(underWay.values());
    underWay.delete(key);
    return result;
  };
  for await (const item of items) {
    const key = next++;
    underWay.set(
      key,
      work(item).then((result) => ({ key, result })),
    );
    if (underWay.size >= limit) yield await first();
  }
  while (underWay.size > 0) yield await first();
}
