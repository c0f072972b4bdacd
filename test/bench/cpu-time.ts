// The time that the main thread spent on a core. On a machine that others use too, this is what the work took; the time on the
// wall also counts the waiting for a core. Where the system does not say, it is the time on the wall.

import { readFileSync } from 'node:fs'

const ACCOUNT = `/proc/self/task/${process.pid}/schedstat`

/** Milliseconds, since some time. Costs about 10 us to ask. */
export function threadCpuMs(): number {
  try {
    const [onCoreNs] = readFileSync(ACCOUNT, 'latin1').split(' ')
    return Number(onCoreNs) / 1e6
  } catch {
    return performance.now()
  }
}
