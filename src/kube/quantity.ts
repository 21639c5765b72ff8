const suffixes: ReadonlyMap<string, number> = new Map(Object.entries({
  n: 1e-9, u: 1e-6, m: 1e-3, '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18,
  Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60,
}));

/**
 * A quantity of Kubernetes in whole units, rounded up: `10Gi`, `1.5G`, `12e6`; undefined where it is none.
 * Not quantityToScalar of the client library: it is not exported, throws a SyntaxError for a fraction with
 * a suffix (`1.5Gi`), does not round up, and takes an empty text for 0.
 */
export function parseQuantity(text: string): number | undefined {
  const match = /^\+?(\d+\.?\d*|\.\d+)(?:([eE][+-]?\d+)|([a-zA-Z]*))$/.exec(text);
  const factor = suffixes.get(match?.[3] ?? '');
  if (match === null || factor === undefined) return undefined;
  return Math.ceil(Number(`${match[1]}${match[2] ?? ''}`) * factor);
}
