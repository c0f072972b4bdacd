// What a session has written and seen, as the smallest set of consistency tokens that says so. A
// read given all of them reflects everything behind them, so its own token replaces them:
//
//   write w1    read(w1) -> r1    write w2    write w3    read(r1 w2 w3) -> r2
//   {w1}        {r1}              {r1 w2}     {r1 w2 w3}  {r2}
//
// Tokens are opaque, so they can not be merged here. Beyond `tokensMax` the frontier forgets them
// and says that it is `overflown`: the session then asks the server for the one token that covers
// everything up to now, before it reads.

/** A read takes at most this many tokens. */
export const tokensMax = 32

export class TokenFrontier {
  readonly #tokens: Set<string>
  #overflown = false

  constructor(tokens: Iterable<string> = []) {
    this.#tokens = new Set(tokens)
    this.#bound()
  }

  get tokens(): string[] {
    return [...this.#tokens]
  }

  /** Whether more is to be waited for than `tokens` say. */
  get overflown(): boolean {
    return this.#overflown
  }

  /** Something was written, or seen without asking for anything. */
  add(token: string): void {
    if (token === '') return
    this.#tokens.add(token)
    this.#bound()
  }

  /** A read that was given `asked` answered with `token`, which therefore covers them. */
  advance(asked: readonly string[], token: string): void {
    if (token === '') return
    for (const covered of asked) this.#tokens.delete(covered)
    this.add(token)
  }

  /**
   * Begins to ask for one token that covers everything up to now: what was there before is taken
   * out. Ends with `add` of that token, or with `overflow` if it could not be had.
   */
  startOver(): void {
    this.#tokens.clear()
    this.#overflown = false
  }

  overflow(): void {
    this.#tokens.clear()
    this.#overflown = true
  }

  #bound(): void {
    if (this.#tokens.size > tokensMax) this.overflow()
  }
}
