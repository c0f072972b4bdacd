// A pause that something else may end early, without an error: the caller looks at what it was.

/** `onEnd` is given what ends the pause and gives back what takes that away again. */
export function pause(ms: number, onEnd: (end: () => void) => () => void): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      release()
      resolve()
    }
    const timer = setTimeout(end, ms)
    const release = onEnd(end)
  })
}
