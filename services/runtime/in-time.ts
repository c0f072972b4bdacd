// A bound on how long somebody else's answer is waited for.

/** Rejects when it takes longer. */
export function inTime<T>(answer: Promise<T>, ms: number): Promise<T> {
  const patience = AbortSignal.timeout(ms)
  return new Promise((resolve, reject) => {
    const late = () => reject(new Error(`did not answer within ${ms / 1_000} s`))
    patience.addEventListener('abort', late, { once: true })
    answer.then(resolve, reject)
  })
}
