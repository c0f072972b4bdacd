// The same cluster in containers: infra/compose/compose.yaml, by docker or podman.

import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

export type ComposeCommand = readonly [program: string, ...args: string[]]

const FILE = join(import.meta.dirname, '../../infra/compose/compose.yaml')

/** A command that can start compose.yaml on an engine that answers; a client alone is not enough. */
export function composeCommand(): ComposeCommand | undefined {
  const commands: ComposeCommand[] = [
    ['docker', 'compose'],
    ['podman', 'compose'],
  ]
  return commands.find(
    ([program, ...args]) => succeeds(program, ['info']) && succeeds(program, [...args, 'version']),
  )
}

/** Returns when every container is healthy. */
export function upContainers([program, ...args]: ComposeCommand): void {
  execFileSync(program, [...args, '--file', FILE, 'up', '--detach', '--build', '--wait'], {
    stdio: 'inherit',
  })
}

/** The volumes with the data stay. */
export function downContainers([program, ...args]: ComposeCommand): void {
  execFileSync(program, [...args, '--file', FILE, 'down'], { stdio: 'inherit' })
}

function succeeds(program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
