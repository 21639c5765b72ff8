const units: Readonly<Record<string, number>> = {
  '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40, ki: 2 ** 10, mi: 2 ** 20, gi: 2 ** 30, ti: 2 ** 40,
  kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30, tib: 2 ** 40,
};

/**
 * Bytes of a size as people write it, `64MiB`, `1Gi`, `8m` or plain bytes, or undefined where it is
 * none. Units are powers of 1024.
 */
export function parseBytes(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?) ?([a-z]*)$/i.exec(text.trim());
  const unit = match && units[match[2]!.toLowerCase()];
  const bytes = match && unit ? Number(match[1]) * unit : NaN;
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** A size in the largest unit that it fills: `value` times 1024 to the power of `power`, which is at most 5 (Pi). */
export function scaleBytes(bytes: number): { value: number; power: number } {
  const power = bytes < 1 ? 0 : Math.min(5, Math.floor(Math.log2(bytes) / 10));
  return { value: bytes / 2 ** (10 * power), power };
}

/** A size as Kubernetes writes it, at most two digits behind the point, never rounded up: `10Gi`, `1.5Mi`. */
export function formatBytes(bytes: number | bigint): string {
  const names = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi'];
  const { value, power } = scaleBytes(Number(bytes));
  return `${Math.floor(value * 100) / 100}${names[power]}`;
}
