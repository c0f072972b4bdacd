// How the tour speaks: numbered steps, what a step shows and why it matters, commands as a user
// would type them, and results. A claim that does not hold ends it.

import { spawn } from 'node:child_process'
import { cliPath } from './cluster-process.ts'

/** Something that the tour claims does not hold. */
export class BrokenClaim extends Error {
  override readonly name = 'BrokenClaim'
}

export function claim(holds: boolean, otherwise: string): void {
  if (!holds) throw new BrokenClaim(otherwise)
}

let steps = 0

/** Begins a step: its title, then a few lines on what it shows and why that matters. */
export function step(title: string, why: string): void {
  steps += 1
  console.log(`\n${bold(`${steps}. ${title}`)}`)
  for (const line of wrap(why, 92)) console.log(`   ${line}`)
}

/** A result. */
export function result(line: string): void {
  console.log(`   -> ${line}`)
}

/** Runs a `cellfeed` command as a user would, and shows it with what it prints. */
export async function command(address: Addresses, argv: readonly string[]): Promise<string> {
  console.log(`   ${bold(`$ cellfeed ${argv.map(quoted).join(' ')}`)}`)
  const { output, exitCode } = await runCli(address, argv)
  for (const line of output.trimEnd().split('\n')) console.log(`     ${line}`)
  claim(exitCode === 0, `cellfeed ${argv[0]} ended with exit code ${exitCode}`)
  return output
}

export interface Addresses {
  readonly address: string
  readonly adminAddress: string
}

/** A child running the command line, which finds its server by the environment. It ends with us. */
export function spawnCli(addresses: Addresses, argv: readonly string[]) {
  const child = spawn(process.execPath, [cliPath, ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      CELLFEED_ADDRESS: addresses.address,
      CELLFEED_ADMIN_ADDRESS: addresses.adminAddress,
    },
  })
  const killAtExit = () => void child.kill('SIGKILL')
  process.prependOnceListener('exit', killAtExit)
  child.once('exit', () => process.removeListener('exit', killAtExit))
  return child
}

async function runCli(addresses: Addresses, argv: readonly string[]) {
  const child = spawnCli(addresses, argv)
  let output = ''
  const listen = (chunk: Buffer) => {
    output += chunk.toString()
  }
  child.stdout.on('data', listen)
  child.stderr.on('data', listen)
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.on('close', resolve)
    child.on('error', reject)
  })
  return { output, exitCode }
}

function quoted(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `"${argument}"`
}

function bold(text: string): string {
  return process.stdout.isTTY ? `\u001b[1m${text}\u001b[0m` : text
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  return [...lines, line]
}
