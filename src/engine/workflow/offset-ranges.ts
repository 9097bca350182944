/** A set of offsets as sorted, disjoint, half-open ranges in one flat array: [from, to, from, to, ...]. */
export type OffsetRanges = number[];

/** Index of the first boundary greater than `offset`; odd means that the offset lies inside a range. */
function boundaryAfter(ranges: OffsetRanges, offset: number): number {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ranges[middle]! <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function hasOffset(ranges: OffsetRanges, offset: number): boolean {
  return boundaryAfter(ranges, offset) % 2 === 1;
}

export function addOffset(ranges: OffsetRanges, offset: number): void {
  const at = boundaryAfter(ranges, offset);
  if (at % 2 === 1) return;
  const touchesBefore = at > 0 && ranges[at - 1] === offset;
  const touchesAfter = at < ranges.length && ranges[at] === offset + 1;
  if (touchesBefore && touchesAfter) ranges.splice(at - 1, 2);
  else if (touchesBefore) ranges[at - 1] = offset + 1;
  else if (touchesAfter) ranges[at] = offset;
  else ranges.splice(at, 0, offset, offset + 1);
}

/** Forgets every offset below `low`. */
export function dropBelow(ranges: OffsetRanges, low: number): void {
  const at = boundaryAfter(ranges, low);
  if (at % 2 === 1) {
    ranges.splice(0, at - 1);
    ranges[0] = low;
  } else {
    ranges.splice(0, at);
  }
}
