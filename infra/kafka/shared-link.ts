// One connection that several callers share: made when it is first needed, and made anew after it failed one of them.

import { Background } from './background.ts'

export class SharedLink<Link extends { close(): Promise<void> }> {
  readonly #open: () => Promise<Link>
  readonly #closing = new Background()
  #connecting: Promise<Link> | undefined
  #link: Link | undefined
  #isClosed = false

  constructor(open: () => Promise<Link>) {
    this.#open = open
  }

  async get(): Promise<Link> {
    if (this.#isClosed) throw new Error('the firehose is closed')
    if (this.#link !== undefined) return this.#link
    this.#connecting ??= this.#connect()
    return this.#connecting
  }

  /** It failed somebody: the next caller gets another, and requests of others on it fail too. */
  drop(link: Link): void {
    if (this.#link !== link) return
    this.#link = undefined
    this.#closing.add(() => link.close())
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#connecting?.catch(() => undefined)
    if (this.#link !== undefined) this.drop(this.#link)
    await this.#closing.ended()
  }

  async #connect(): Promise<Link> {
    try {
      this.#link = await this.#open()
      return this.#link
    } finally {
      this.#connecting = undefined
    }
  }
}
