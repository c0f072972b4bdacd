// How a process ends. A first SIGTERM or SIGINT drains; a second one ends it at once. Exit codes: 0 stopped as asked,
// 1 failed, 2 started wrongly.

export const EXIT_OK = 0
export const EXIT_FAILED = 1
export const EXIT_USAGE = 2
const EXIT_SIGNALLED_TWICE = 130

/** Resolves at the first signal. The second one exits the process without waiting. */
export function stopSignal(): Promise<'SIGTERM' | 'SIGINT'> {
  return new Promise((resolve) => {
    let signalled = false
    const onSignal = (signal: 'SIGTERM' | 'SIGINT') => {
      if (signalled) process.exit(EXIT_SIGNALLED_TWICE)
      signalled = true
      resolve(signal)
    }
    process.on('SIGTERM', () => onSignal('SIGTERM'))
    process.on('SIGINT', () => onSignal('SIGINT'))
  })
}
