// What `init` found and did, collected while it goes: lines for people, and at the end one line for what keeps the cluster from
// running.

export class InitReport {
  readonly #out: (line: string) => void
  readonly #problems: string[] = []

  constructor(out: (line: string) => void) {
    this.#out = out
  }

  made(what: string): void {
    this.#out(`made     ${what}`)
  }

  wasThere(what: string): void {
    this.#out(`there    ${what}`)
  }

  /** Not as `init` would make it, but a cluster runs with it: somebody may have wanted it so. */
  differs(what: string): void {
    this.#out(`differs  ${what}`)
  }

  /** A cluster can not run with it, and `init` does not change it. */
  problem(what: string): void {
    this.#problems.push(what)
  }

  /** Undefined when the cluster can run. */
  get problems(): string | undefined {
    return this.#problems.length === 0 ? undefined : this.#problems.join('; ')
  }
}
