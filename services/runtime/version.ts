// The version of the package that this program is part of, in the source tree and in dist/ alike.

import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

export function packageVersion(): string {
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
    try {
      const text = readFileSync(join(folder, 'package.json'), 'utf8')
      return (JSON.parse(text) as { version?: string }).version ?? 'unknown'
    } catch {
      // Not in this folder: it is in one above.
    }
  }
  return 'unknown'
}
