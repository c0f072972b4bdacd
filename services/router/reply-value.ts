// What a cell replied, as the port's answers and errors.

import type { Answer } from '../../cells/ports/cell-client.ts'
import { positionOfBytes } from '../cell/position-bytes.ts'
import type { CellReply } from '../cell/reply-codec.ts'
import { CorruptMessage } from '../runtime/protobuf-fields.ts'

type Outcome = NonNullable<CellReply['outcome']>
type ValueOf<Case extends Outcome['$case']> = Extract<Outcome, { readonly $case: Case }>['value']

/** A call that failed at the cell, with the stable code that the cell gave it. */
export class CellCallFailed extends Error {
  override readonly name = 'CellCallFailed'
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/** `read` sees only outcomes that are neither a failure nor `moved` nor `late`. Throws CellCallFailed, CorruptMessage. */
export function answerOf<T>(reply: CellReply, read: (reply: CellReply) => T): Answer<T> {
  const { outcome } = reply
  if (outcome?.$case === 'failure') {
    throw new CellCallFailed(outcome.value.code, outcome.value.message)
  }
  if (outcome?.$case === 'moved') {
    const { cell, epoch, slot } = outcome.value
    return { kind: 'moved', cell, epoch, slot }
  }
  const position = positionOfBytes(reply.position)
  if (outcome?.$case === 'late') {
    return { kind: 'late', missing: positionOfBytes(outcome.value.missing), position }
  }
  return { kind: 'ok', value: read(reply), position }
}

/** The value of an outcome that must be this one. Throws CorruptMessage. */
export function valueOf<Case extends Outcome['$case']>(
  { outcome }: CellReply,
  expected: Case,
): ValueOf<Case> {
  if (outcome?.$case !== expected) {
    throw new CorruptMessage(`the cell replied ${outcome?.$case ?? 'nothing'}, not ${expected}`)
  }
  return outcome.value as ValueOf<Case>
}
