#!/usr/bin/env -S node --max-semi-space-size=64 --v8-pool-size=1
// The `cellfeed` command. Its young objects get more room than node gives them: a cell that catches up holds every post for a
// moment, and copying those back and forth took half as long again. And the collector has one helper instead of four, which took
// the cores from who serves whenever old objects were marked (docs/performance.md).
//
// Commands are in program.ts; here they meet the process: output, Ctrl-C, exit codes, and one line on standard error for
// whatever goes wrong.

import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js'
import { readCliEnvironment } from './config.ts'
import { type ExitCode, endingOf, exitCodes } from './exit.ts'
import { buildProgram } from './program.ts'
import { CLUSTER_COMMANDS } from './cluster-commands.ts'
import { SERVE } from './serve-command.ts'
import type { Terminal } from './terminal.ts'

// What gRPC would print by itself, errors say in words.
setLogVerbosity(logVerbosity.NONE)

// `cellfeed ... | head` closes the pipe early, which is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? exitCodes.ok : exitCodes.no)
})

const interruption = new AbortController()
let isServing = false
let isServer = false
process.on('SIGINT', () => {
  // The server drains by itself. Anything else stops at the second Ctrl-C at the latest.
  if (isServing) return
  if (interruption.signal.aborted) process.exit(exitCodes.interrupted)
  interruption.abort()
})

let exitCode: ExitCode = exitCodes.ok
let progressWidth = 0
const clearProgress = () => {
  if (progressWidth > 0) process.stderr.write(`\r${' '.repeat(progressWidth)}\r`)
  progressWidth = 0
}

const terminal: Terminal = {
  out: (line) => {
    clearProgress()
    process.stdout.write(`${line}\n`)
  },
  note: (line) => {
    clearProgress()
    process.stderr.write(`${line}\n`)
  },
  progress: (line) => {
    if (!process.stderr.isTTY) {
      if (line !== '') process.stderr.write(`${line}\n`)
      return
    }
    clearProgress()
    const shown = line.slice(0, (process.stderr.columns || 80) - 1)
    process.stderr.write(shown)
    progressWidth = shown.length
  },
  isInteractive: process.stderr.isTTY,
  stdin: process.stdin,
  nowMs: Date.now,
  interrupted: interruption.signal,
  environment: readCliEnvironment(),
  endWith: (code) => {
    exitCode = code
  },
}

try {
  const [, , argument, argumentOfHelp] = process.argv
  const name = argument === 'help' ? argumentOfHelp : argument
  const command = [SERVE, ...CLUSTER_COMMANDS].find((server) => server.name === name)
  isServer = command !== undefined
  isServing = isServer && name !== 'init'
  const named = command === undefined ? undefined : { command, flags: await command.flags() }
  await buildProgram(terminal, named).parseAsync()
} catch (thrown) {
  const ending = endingOf(thrown)
  if (ending.line !== undefined) terminal.note(`cellfeed: ${ending.line}`)
  exitCode = ending.exitCode
}
clearProgress()
// A server closed all it could: what a driver still holds open must not keep its process.
if (isServer) process.exit(exitCode)
process.exitCode = exitCode
