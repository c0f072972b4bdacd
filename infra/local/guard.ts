// Ends a server whose parent died without stopping it, however it died: a small shell process waits for the end of a
// pipe whose only writer is the parent, and then kills the server's process group.

import { spawn } from 'node:child_process'

export type Guard = { end(): void }

// Written as every shell understands it: some take -KILL or a group after --, but not both.
const SCRIPT = 'cat >/dev/null; kill -s KILL -- "-$1"'

/** `end` it as soon as the server is gone, before its process id can belong to another. */
export function guard(processGroup: number): Guard {
  const child = spawn('/bin/sh', ['-c', SCRIPT, 'guard', String(processGroup)], {
    // In a session of its own, or Ctrl-C in a terminal would end it with its parent.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  child.unref()
  return { end: () => void child.kill('SIGKILL') }
}
