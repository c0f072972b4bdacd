// Bugs of standbys, takeovers and ways back. Each is planted like those of mutant-list.ts.

import type { Mutant } from './mutant.ts'

export const STANDBY_MUTANTS: readonly Mutant[] = [
  {
    name: 'standby-floor-not-raised',
    bug: 'what the window drops is not said to be pulled in the slots of a standby',
    file: 'cells/activities/delivery.ts',
    old: 'if (inhabited.length > 0) await this.#uncover(',
    new: 'if (inhabited.length < 0) await this.#uncover(',
  },
  {
    name: 'standby-floor-too-low',
    bug: 'the floor of a standby leaves out the newest post that the window drops',
    file: 'cells/activities/delivery.ts',
    old: 'for (let seq = window.tail; seq < end; seq++) {\n      const [hi, lo]',
    new: 'for (let seq = window.tail; seq < end - 1; seq++) {\n      const [hi, lo]',
  },
  {
    name: 'standby-floor-in-memory',
    bug: 'the floor of a standby is raised in memory only',
    file: 'cells/activities/delivery.ts',
    old: '      await this.#persistence.untilDurable(() => this.#store.readers.putReach(rows))\n    }\n  }\n}',
    new: '      void rows\n    }\n  }\n}',
  },
  {
    name: 'standby-counts-as-covered',
    bug: 'a standby keeps the coverage of inboxes that it did not copy',
    file: 'cells/activities/slot-copy.ts',
    old: 'const reached = isStandby ? new Map<number, Reach>() : await this.#reach(copied)',
    new: 'const reached = await this.#reach(copied)',
  },
  {
    name: 'standby-holds-the-window',
    bug: 'slots without inboxes count among those that the window waits for',
    file: 'cells/activities/cell-state.ts',
    old: 'return this.#least((slot) => !slot.isStandby)',
    new: 'return this.#least(() => true)',
  },
  {
    name: 'takeover-behind-the-log',
    bug: "a standby takes over before it has reached the log's end",
    file: 'cells/activities/mover.ts',
    old: "return hasReached(target.position, passed) ? { kind: 'cut-over', isTakeover } : undefined",
    new: "return isTakeover || hasReached(target.position, passed) ? { kind: 'cut-over', isTakeover } : undefined",
  },
  {
    name: 'takeover-of-the-living',
    bug: 'a standby takes over without a look at the lease',
    file: 'cells/activities/mover.ts',
    old: '    if (isTakeover && !(await this.#ports.isDead(move.from))) {\n',
    new: '    if (isTakeover && move.id < 0) {\n',
  },
  {
    name: 'back-to-the-rebuilt',
    bug: 'a cell that was rebuilt takes back slots whose gap nobody closed for it',
    file: 'cells/activities/slot-keeper.ts',
    old: '    if (phase.isTakeover && state.rebuilt !== undefined) return false\n',
    new: '',
  },
  {
    name: 'back-behind-the-target',
    bug: 'the source owns its slots again before it has reached what the target has shown',
    file: 'cells/activities/hand-over.ts',
    old: 'return passed !== undefined && hasReached(source.position, passed)',
    new: 'return passed !== undefined',
  },
  {
    name: 'back-to-what-is-dropped',
    bug: 'slots go back to a cell that has dropped them',
    file: 'cells/activities/hand-over.ts',
    old: 'if (source?.ready !== true || !source.retained.includes(id)) return false',
    new: 'if (source?.ready !== true || id < 0) return false',
  },
  {
    name: 'adopted-from-the-living',
    bug: 'slots of a cell are adopted without a look at its lease',
    file: 'cells/activities/caretaker.ts',
    old: '|| !(await isLost(cell))) continue',
    new: '|| !(await isLost(cell).then(() => true))) continue',
  },
  {
    name: 'paused-goes-on',
    bug: 'a paused move is cut over',
    file: 'cells/activities/mover.ts',
    old: 'if (move.isPaused) return undefined',
    new: "if (move.isPaused && move.phase.kind !== 'ready') return undefined",
  },
  {
    name: 'standby-of-another-stays',
    bug: 'slots that get another owner keep the standby of the one before',
    file: 'cells/model/move.ts',
    old: 'const others = withoutSlots(moves, (each) => each !== cause && !isMoving(each), changed)',
    new: 'const others = moves',
  },
  {
    name: 'move-of-another-stays',
    bug: 'slots that get another owner keep a move from the one before',
    file: 'cells/model/move.ts',
    old: 'return others.filter((each) => each === cause || !isMoving(each) || !overlap(each.slots, changed))',
    new: 'return others',
  },
]
