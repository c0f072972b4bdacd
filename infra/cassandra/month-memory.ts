// The newest month of each author whose row this process knows to be durable: two bytes an author. Forgetting is harmless, the
// row is then written once more.

const ROOM_FIRST = 1 << 16

export class MonthMemory {
  /** By author: month + 1; 0 when none is known. */
  #months = new Uint16Array(ROOM_FIRST)

  has(author: number, month: number): boolean {
    return this.#months[author] === month + 1
  }

  add(author: number, month: number): void {
    if (author >= AUTHORS_REMEMBERED_MAX) return
    if (author >= this.#months.length) this.#grow(author + 1)
    const known = this.#months[author] ?? 0
    if (month + 1 > known) this.#months[author] = month + 1
  }

  #grow(authors: number): void {
    const grown = new Uint16Array(2 ** Math.ceil(Math.log2(authors)))
    grown.set(this.#months)
    this.#months = grown
  }
}

/** Numbers are dense, so nobody has more; of greater ones months are written each time. */
const AUTHORS_REMEMBERED_MAX = 2 ** 27
