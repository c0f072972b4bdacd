// A clock for adapters under test: every reading is a millisecond later than the one before, so that times tell records
// apart without waiting.

export type ManualClock = { nowMs: () => number; set: (ms: number) => void }

export function manualClock(startMs = 1_700_000_000_000): ManualClock {
  let now = startMs
  return {
    nowMs: () => now++,
    set: (ms) => {
      now = ms
    },
  }
}
