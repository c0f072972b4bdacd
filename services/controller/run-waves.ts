// Carries out a plan wave by wave: each is begun, waited for until its slots have new owners, and looked at before the next one. What is
// begun goes on without this; what is not begun is planned anew by whoever asks again.

import { gate, type WaveFigures } from '../../cells/model/waves.ts'
import type { Clock } from '../../cells/ports/clock.ts'
import {
  type Move,
  MoveChange,
  MovePhase,
  type PlannedMove,
  type RebalanceResponse,
  type RebalanceStopped,
  type Wave,
} from '../../gen/cellfeed/admin/v1/admin_service.ts'

export type Vitals = Pick<WaveFigures, 'calls' | 'callsFailed' | 'p99Ms' | 'lagMs'> & {
  readonly serving: readonly string[]
}
export type WavesPorts = {
  readonly clock: Pick<Clock, 'nowMs' | 'sleep'>
  /** Answers the move's id. */
  readonly begin: (planned: PlannedMove) => Promise<bigint>
  /** Those of these moves that are not over; and whether what was planned came true. */
  readonly look: (ids: ReadonlySet<bigint>) => Promise<{
    readonly moves: readonly Move[]
    readonly isOwnedBy: (planned: PlannedMove) => boolean
  }>
  /** Rejects when it is cut over. */
  readonly pause: (id: bigint) => Promise<void>
  readonly vitals: () => Promise<Vitals>
}
type Events = AsyncGenerator<RebalanceResponse, void, void>

const LOOK_MS = 250

export async function* runWaves(
  waves: readonly Wave[],
  ports: WavesPorts,
  signal: AbortSignal,
): Events {
  const { clock } = ports
  const before = await ports.vitals()
  let readersMoved = 0n
  for (const [i, { moves }] of waves.entries()) {
    if (signal.aborted) return
    const numbers = { wave: i + 1, waves: waves.length }
    yield { event: { $case: 'waveBegins', value: { ...numbers, moves } } }
    const startedMs = clock.nowMs()
    const wave = new RunningWave()
    for (const planned of moves) wave.begun(await ports.begin(planned), planned)
    const stopped = yield* untilPassed(wave, { ...ports, before, signal })
    if (stopped !== undefined) {
      yield { event: { $case: 'stopped', value: stopped } }
      return
    }
    if (signal.aborted) return
    readersMoved += moves.reduce((sum, { readers }) => sum + readers, 0n)
    const tookMs = BigInt(Math.round(clock.nowMs() - startedMs))
    yield { event: { $case: 'waveDone', value: { ...numbers, tookMs, readersMoved } } }
  }
}

/** Returns why and how it stopped; undefined when the next wave may begin, or the signal aborts. */
async function* untilPassed(
  wave: RunningWave,
  ports: WavesPorts & { readonly before: Vitals; readonly signal: AbortSignal },
): AsyncGenerator<RebalanceResponse, RebalanceStopped | undefined, void> {
  const { clock, before, signal } = ports
  let waitedFor = ''
  while (!signal.aborted) {
    const { moves, isOwnedBy } = await ports.look(wave.ids)
    for (const move of wave.take(moves, isOwnedBy, clock.nowMs())) {
      yield { event: { $case: 'move', value: move } }
    }
    const vitals = await ports.vitals()
    const cellsGone = before.serving.filter((cell) => !vitals.serving.includes(cell))
    const beside = { p99BeforeMs: before.p99Ms, cellsGone }
    const verdict = gate({ ...wave.figures(clock.nowMs()), ...vitals, ...beside })
    if (verdict.kind === 'go-on') return undefined
    if (verdict.kind === 'stop') return stop(wave, verdict.why, ports)
    if (verdict.why !== waitedFor) {
      waitedFor = verdict.why
      yield { event: { $case: 'waiting', value: waitedFor } }
    }
    await clock.sleep(LOOK_MS, signal)
  }
  return undefined
}

/** What is not cut over yet stays where it is. */
async function stop(
  { ids }: RunningWave,
  reason: string,
  { look, pause }: WavesPorts,
): Promise<RebalanceStopped> {
  const paused: bigint[] = []
  for (const { id, phase, isPaused } of (await look(ids)).moves) {
    if (isPaused || phase === MovePhase.RETIRING || phase === MovePhase.DIFFERS) continue
    // It may be cut over just now.
    const isDone = await pause(id).then(
      () => true,
      () => false,
    )
    if (isDone) paused.push(id)
  }
  const { moves } = await look(ids)
  const back = moves.map(({ id, phase }) => {
    return { id, change: phase === MovePhase.RETIRING ? MoveChange.ROLL_BACK : MoveChange.ABORT }
  })
  return { reason, paused, back }
}

/** The moves of a wave, as they are seen from time to time. */
class RunningWave {
  readonly #planned = new Map<bigint, PlannedMove>()
  readonly #known = new Map<bigint, string>()
  #left = 0
  #differing = 0
  #takenBack = 0
  #cutOverMs: number | undefined

  get ids(): ReadonlySet<bigint> {
    return new Set(this.#planned.keys())
  }

  begun(id: bigint, planned: PlannedMove): void {
    this.#planned.set(id, planned)
  }

  /** Answers those of which there is something new. One that is over has come true, or somebody took it back. */
  take(
    moves: readonly Move[],
    isOwnedBy: (planned: PlannedMove) => boolean,
    nowMs: number,
  ): readonly Move[] {
    const there = new Set(moves.map(({ id }) => id))
    const over = [...this.#planned].filter(([id]) => !there.has(id))
    this.#takenBack = over.filter(([, planned]) => !isOwnedBy(planned)).length
    this.#left = moves.filter(({ phase }) => phase !== MovePhase.RETIRING).length
    this.#differing = moves.filter(({ phase }) => phase === MovePhase.DIFFERS).length
    if (this.#left === 0) this.#cutOverMs ??= nowMs
    return moves.filter((move) => this.#isNew(move))
  }

  figures(nowMs: number) {
    return {
      movesLeft: this.#left,
      movesTakenBack: this.#takenBack,
      movesDiffering: this.#differing,
      waitedMs: this.#cutOverMs === undefined ? 0 : nowMs - this.#cutOverMs,
    }
  }

  #isNew({ id, phase, detail, isPaused, copiedPart }: Move): boolean {
    const now = [phase, isPaused, copiedPart, detail].join(' ')
    const isNew = this.#known.get(id) !== now
    this.#known.set(id, now)
    return isNew
  }
}
