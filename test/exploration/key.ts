// Tells clusters apart that can go different ways. Terms and moves count only by being the same or not, epochs not at all: cells know
// the placement as a view, and looks die with the placement that they looked at.

import { termOf } from '../../cells/model/move.ts'
import { ownerOf } from '../../cells/model/placement.ts'
import type { Position } from '../../cells/model/position.ts'
import { type Cluster, type Copy, type Host, SLOT } from './cluster.ts'

const FIRST_CHAR = 48
const STAGES = { marked: 'm', copied: 'c', complete: 'k' }

/** Numbers that stand for one another: each gets the place at which it was met first. */
class Places {
  readonly #met: number[] = [0]

  of(number = 0): string {
    const place = this.#met.indexOf(number)
    return String(place >= 0 ? place : this.#met.push(number) - 1)
  }
}

type Names = { readonly terms: Places; readonly moves: Places }

export function keyOf({
  placement,
  look,
  toPass,
  wasDown,
  crashesLeft,
  plansLeft,
  ...hosts
}: Cluster): string {
  const names: Names = { terms: new Places(), moves: new Places() }
  const { terms, moves } = names
  const owner = ownerOf(placement, SLOT)
  let key =
    at(toPass) + crashesLeft + plansLeft + (wasDown ? 'd' : '') + owner.cell + terms.of(owner.term)
  const [move] = placement.moves
  if (move !== undefined) {
    const { phase } = move
    key += phase.kind.slice(0, 3) + moves.of(move.id) + terms.of(termOf(move))
    key += (move.isPaused ? 'p' : '') + (move.isStandby ? 's' : '')
    if (phase.kind === 'retiring')
      key += terms.of(phase.left[0]?.term) + (phase.isTakeover ? 't' : '')
  }
  key += hostKey(hosts.A, names) + hostKey(hosts.B, names)
  if (look === undefined) return key
  if (look.base !== placement) key += 'old'
  return key + (look.kind === 'say' ? look.event.kind : look.kind + at(look.past))
}

function hostKey({ disk, running, shown }: Host, names: Names): string {
  const { terms, moves } = names
  const { position, kept, rows } = disk
  let key = `/${at(position)}${at(shown)}`
  if (kept !== undefined) key += `${terms.of(kept.term)}${moves.of(kept.move)}${kept.posts}`
  key += `r${rows
    .map((term) => terms.of(term))
    .sort()
    .join('')}`
  if (running === undefined) return key
  const { view, copy, servesFrom } = running
  key += `:${at(running.position)}${servesFrom === undefined ? '' : at(servesFrom)}`
  key += `v${terms.of(view.owns)}${moves.of(view.takesIn)}${terms.of(view.from)}`
  key += `${moves.of(view.target)}${terms.of(view.term)}${moves.of(view.retains)}${terms.of(view.left)}`
  key += `d${running.dropping.map((term) => terms.of(term)).join('')}`
  return copy === undefined ? key : key + copyKey(copy, names)
}

function copyKey(
  { term, move, asOf, stage, attached, posts, isDurable }: Copy,
  names: Names,
): string {
  const from = asOf === undefined ? '' : at(asOf)
  const { terms, moves } = names
  return `c${terms.of(term)}${moves.of(move)}${STAGES[stage]}${attached}${posts}${isDurable ? 'y' : 'n'}${from}`
}

/** One character: offsets are small, or infinite. */
function at([first = 0, second = 0]: Position): string {
  return String.fromCharCode(FIRST_CHAR + Math.min(first, 7) * 8 + Math.min(second, 7))
}
