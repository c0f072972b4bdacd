// When to leave Redis alone. Every answer that came too late, or not at all, counts one up, every answer in time one down;
// too many, and nobody asks for a while. Then one question is let through, and its answer decides.
//
//             failures reach the maximum                 pause is over: one asks
//     closed ───────────────────────────> open ───────────────────────────────> probing
//        ^                                 ^  the probe failed: pause doubled      │
//        │                                 └──────────────────────────────────────┤
//        └──────────────────────────────────── the probe was answered ────────────┘

export type BreakerState =
  | { readonly kind: 'closed'; readonly failures: number }
  | { readonly kind: 'open'; readonly untilMs: number; readonly pauseMs: number }
  | { readonly kind: 'probing'; readonly pauseMs: number }
export type BreakerEvent = 'asked' | 'answered' | 'failed'
export type BreakerLimits = {
  readonly failuresMax: number
  readonly pauseMs: number
  readonly pauseMaxMs: number
}

export const CLOSED: BreakerState = { kind: 'closed', failures: 0 }

/** Whether a question may be asked now; who asks tells `next` so. */
export function isAdmitting(state: BreakerState, nowMs: number): boolean {
  if (state.kind === 'open') return nowMs >= state.untilMs
  return state.kind === 'closed'
}

export function next(
  state: BreakerState,
  event: BreakerEvent,
  nowMs: number,
  limits: BreakerLimits,
): BreakerState {
  switch (state.kind) {
    case 'closed':
      return fromClosed(state.failures, event, nowMs, limits)
    case 'open':
      // What was asked before it opened may still end now, either way: that says nothing new.
      return event === 'asked' && nowMs >= state.untilMs
        ? { kind: 'probing', pauseMs: state.pauseMs }
        : state
    case 'probing': {
      if (event === 'asked') return state
      if (event === 'answered') return CLOSED
      const pauseMs = Math.min(state.pauseMs * 2, limits.pauseMaxMs)
      return { kind: 'open', untilMs: nowMs + pauseMs, pauseMs }
    }
  }
}

function fromClosed(
  failures: number,
  event: BreakerEvent,
  nowMs: number,
  { failuresMax, pauseMs }: BreakerLimits,
): BreakerState {
  if (event === 'asked') return { kind: 'closed', failures }
  if (event === 'answered') return { kind: 'closed', failures: Math.max(0, failures - 1) }
  if (failures + 1 < failuresMax) return { kind: 'closed', failures: failures + 1 }
  return { kind: 'open', untilMs: nowMs + pauseMs, pauseMs }
}
