// All benches, one after the other, each in a process of its own: `make bench`, or `make bench ARGS="page apply"` for some. Every
// bench prints what it did, the figure, the goal, and what it is compared with in the same run.

import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const BENCHES = [
  'apply',
  'page',
  'generation',
  'delivery',
  'memory',
  'celebrity',
  'restart',
  'deep-page',
  'policy',
  'delivery-cost',
  'dormant',
  'filling',
  'heavy-reader',
  'move',
  'balance',
  'cutover',
  'failover',
  'third-cell',
  'embedded-store',
  'hop',
]

const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !BENCHES.includes(name))
if (unknown.length > 0) {
  console.error(`no bench is called ${unknown.join(', ')}; there are ${BENCHES.join(', ')}`)
  process.exit(2)
}
for (const name of asked.length === 0 ? BENCHES : asked) {
  console.log(`\n${name}`)
  const code = await run(name)
  if (code !== 0) process.exit(code)
}

function run(name: string): Promise<number> {
  const file = fileURLToPath(new URL(`${name}.ts`, import.meta.url))
  const args = [...process.execArgv, '--max-old-space-size=8192', '--expose-gc', file]
  const child = spawn(process.execPath, args, { stdio: 'inherit' })
  return new Promise((resolve) => child.on('exit', (code) => resolve(code ?? 1)))
}
