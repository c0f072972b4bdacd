// Explores moves and standbys to the end, and says how much there was to explore.

import { explore } from './explore.ts'
import { RUNS } from './runs.ts'

for (const [name, rules] of Object.entries(RUNS)) {
  const { states, transitions, depth, atRest, phases, violation } = explore(rules)
  process.stdout.write(
    `${name}: ${states} states (${atRest} at rest), ${transitions} transitions, depth ${depth}\n`,
  )
  for (const [phase, count] of phases)
    process.stdout.write(`${String(count).padStart(9)}  ${phase}\n`)
  if (violation === undefined) continue
  process.stdout.write(`${violation.what}:\n  ${violation.way.join('\n  ')}\n`)
  process.exitCode = 1
}
