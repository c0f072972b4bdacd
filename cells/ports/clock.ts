// Time as an activity sees it. In the simulation it is virtual.

export interface Clock {
  /** Unix milliseconds. May step back or jump: nothing that must hold depends on it. */
  nowMs(): number
  /** Resolves after about this long; resolves early, without error, when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Lets other work run: between slices of a long computation. */
  yield(): Promise<void>
}
