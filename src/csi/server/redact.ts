const HIDDEN = '***';

/**
 * A copy of a request that may be logged: whatever a field named `secrets` holds is hidden at any
 * depth, its keys too.
 */
export function redact(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(redact);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) =>
    [key, key === 'secrets' ? HIDDEN : redact(inner)]));
}
