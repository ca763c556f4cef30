/** What an edit does to a text, for people: lines that go behind "-", lines that come behind "+", in their order. */
export function lineDifference(before: string, after: string): readonly string[] {
  const [old, fresh] = [before.split("\n"), after.split("\n")];
  const shared = sharedLengths(old, fresh);
  const lines: string[] = [];
  let [left, right] = [0, 0];
  while (left < old.length || right < fresh.length) {
    if (left < old.length && right < fresh.length && old[left] === fresh[right]) {
      left += 1;
      right += 1;
    } else if (
      right >= fresh.length ||
      (left < old.length && at(shared, left + 1, right) >= at(shared, left, right + 1))
    ) {
      lines.push(`- ${old[left] ?? ""}`);
      left += 1;
    } else {
      lines.push(`+ ${fresh[right] ?? ""}`);
      right += 1;
    }
  }
  return lines;
}

/** How many lines the ends of both texts have in common, from every pair of places on. */
function sharedLengths(old: readonly string[], fresh: readonly string[]): readonly (readonly number[])[] {
  const table = Array.from({ length: old.length + 1 }, () =>
    Array.from({ length: fresh.length + 1 }, () => 0),
  );
  for (let left = old.length - 1; left >= 0; left--) {
    for (let right = fresh.length - 1; right >= 0; right--) {
      const row = table[left];
      if (row === undefined) continue;
      row[right] =
        old[left] === fresh[right]
          ? at(table, left + 1, right + 1) + 1
          : Math.max(at(table, left + 1, right), at(table, left, right + 1));
    }
  }
  return table;
}

function at(table: readonly (readonly number[])[], left: number, right: number): number {
  return table[left]?.[right] ?? 0;
}
