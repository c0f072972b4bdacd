// Runs a part of a bench in a process of its own, which holds nothing of what prepared it, and is ended as a crash would end it.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const FLAG = '--part='

/** The module is started again with the part to do, and answers by `answerElsewhere`. */
export async function runElsewhere<Output>(
  moduleUrl: string,
  part: object,
  flags: readonly string[],
): Promise<Output> {
  const child = fork(fileURLToPath(moduleUrl), [`${FLAG}${JSON.stringify(part)}`, ...flags], {
    execArgv: [...process.execArgv],
  })
  const ended = once(child, 'exit')
  const failed = ended.then(([code]) => {
    throw new Error(`a part of the bench ended with code ${String(code)}`)
  })
  const answered = once(child, 'message').then(([message]) => message as Output)
  try {
    return await Promise.race([answered, failed])
  } finally {
    child.kill('SIGKILL')
    await ended
    await failed.catch(() => undefined)
  }
}

/** The part that this process was started for, if it was. Takes it off the command line. */
export function partAsked(): unknown {
  const at = process.argv.findIndex((arg) => arg.startsWith(FLAG))
  if (at < 0) return undefined
  const [text = ''] = process.argv.splice(at, 1)
  return JSON.parse(text.slice(FLAG.length))
}

/** Waits for its end by who asked. Started by hand, as for a profile, it prints the answer and ends. */
export async function answerElsewhere(output: object): Promise<void> {
  if (process.send !== undefined) {
    process.send(output)
    return
  }
  console.log(output)
  process.exit()
}
