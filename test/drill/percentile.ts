// Percentiles of measured times.

/** Of ascending numbers; the 100th is the greatest. 0 of none. */
export function percentile(ascending: readonly number[], percent: number): number {
  const at = Math.ceil((ascending.length * percent) / 100) - 1
  return ascending[Math.max(0, at)] ?? 0
}
