// A server of the cluster as a fault sees it: a process with data and an address that survive it.

export interface Server {
  readonly name: string
  /** Again, on its data and at its address; ready when it resolves. */
  start(): Promise<void>
  /** kill -9. */
  kill(): Promise<void>
  /** SIGSTOP: its connections stay, and nothing is answered. */
  pause(): void
  /** SIGCONT. */
  resume(): void
}
