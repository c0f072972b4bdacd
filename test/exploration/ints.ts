// A list of whole numbers that takes four bytes for each.

export class Ints {
  #ints = new Int32Array(1 << 16)
  count = 0

  push(value: number): void {
    if (this.count === this.#ints.length) {
      const more = new Int32Array(this.count * 2)
      more.set(this.#ints)
      this.#ints = more
    }
    this.#ints[this.count++] = value
  }

  at(index: number): number {
    return this.#ints[index] ?? 0
  }
}
