// What command lines of the simulation share: what was wrong in a run, in words, and numbers that were typed.

import type { Outcome } from './simulate.ts'

export function describe(
  { seed, violation }: Outcome,
  again: string = `make sim SEED=${seed}`,
): string {
  if (violation === undefined) return `seed ${seed}: all held`
  const lines = [`seed ${seed}: ${violation.message}`]
  if (violation.got !== undefined) lines.push(`  got  ${textOf(violation.got)}`)
  if (violation.want !== undefined) lines.push(`  want ${textOf(violation.want)}`)
  return [...lines, `  again: ${again}`].join('\n')
}

/** A whole number above 0; otherwise the process ends, and says why. */
export function wholeNumber(text: string, name: string): number {
  const number = Number(text)
  if (Number.isInteger(number) && number > 0) return number
  process.stderr.write(`--${name} takes a whole number above 0, not ${text}\n`)
  process.exit(2)
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'bigint' ? String(part) : part,
  )
}
