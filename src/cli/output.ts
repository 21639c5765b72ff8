/** One JSON document on standard output. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** Rows as columns, each as wide as its widest cell; numbers stand right. */
export function printTable(header: readonly string[], rows: readonly (readonly (string | number)[])[]): void {
  const cells = [header, ...rows].map((row) => row.map(String));
  const widths = header.map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  const right = header.map((_, column) => rows.every((row) => typeof row[column] === 'number' || /^[\d.]+ ?[KMGTP]?i?B?$/.test(String(row[column]))));
  for (const row of cells) {
    const line = row.map((cell, column) => (right[column] ? cell.padStart(widths[column]) : cell.padEnd(widths[column])));
    process.stdout.write(`${line.join('  ').trimEnd()}\n`);
  }
}
