// What happens to a cell beside reads and faults: its operators take checkpoints, have generations written, and change the classes
// of authors, all at moments of their own.

import type { Dice } from './random.ts'
import type { World } from './world.ts'

const STEPS = { checkpoint: 4, generation: 5, class: 5 } as const

export async function operate(world: World, dice: Dice): Promise<void> {
  const host = dice.pick(world.hosts)
  const running = host.serving
  if (running === undefined) return
  const step = dice.weighted<keyof typeof STEPS>(STEPS)
  if (step === 'checkpoint') return host.checkpoint()
  if (step === 'generation') {
    await host.command(running.cell.writeGeneration(), running)
    if (host.serving === running) world.tally.add('step: generation')
    return
  }
  const author = dice.pick(world.users).key
  const value = dice.pick(['delivered', 'pulled'] as const)
  await host.command(running.cell.setAuthorClass(author, value), running)
  if (host.serving === running) world.tally.add(`step: author ${value}`)
}
