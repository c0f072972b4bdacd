// The order of versions: by boot, then by count within the boot.

import type { Version } from '../../cells/ports/cell-store.ts'

/** Whether a row of version `a` replaces one of version `b`. */
export function isGreater(a: Version, b: Version): boolean {
  return a.boot !== b.boot ? a.boot > b.boot : a.count > b.count
}
