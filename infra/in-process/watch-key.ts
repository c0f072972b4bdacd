// Watching one key of a control store that lives in this process.

import type { ControlEntry } from '../../cells/ports/control-store.ts'
import type { Bell } from './bell.ts'

/** Changes after this call, at least the latest one. `read` is asked again whenever the bell rang. */
export function watchKey(
  read: () => ControlEntry | undefined,
  bell: Bell,
  signal: AbortSignal,
): AsyncIterable<ControlEntry> {
  return changes(read, bell, signal, read()?.revision ?? 0)
}

async function* changes(
  read: () => ControlEntry | undefined,
  bell: Bell,
  signal: AbortSignal,
  revisionAtCall: number,
): AsyncGenerator<ControlEntry> {
  let told = revisionAtCall
  while (!signal.aborted) {
    const heard = bell.rings
    const entry = read()
    if (entry !== undefined && entry.revision > told) {
      told = entry.revision
      yield entry
    } else {
      await bell.rungSince(heard, signal)
    }
  }
}
