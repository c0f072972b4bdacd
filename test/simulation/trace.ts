// What happened, line by line, as a rolling digest (two lanes of FNV-1a) and, when somebody wants to read it, as text. Two runs
// of one seed have the same lines, on every version of Node.

export class Trace {
  readonly lines: string[] = []
  readonly #keeps: boolean
  #count = 0
  #even = 0x811c_9dc5
  #odd = 0x9747_b28c

  constructor(options: { readonly keepsLines: boolean }) {
    this.#keeps = options.keepsLines
  }

  line(text: string): void {
    this.#count++
    for (let i = 0; i < text.length; i += 2) {
      this.#even = Math.imul(this.#even ^ text.charCodeAt(i), 0x0100_0193)
      this.#odd = Math.imul(this.#odd ^ (text.charCodeAt(i + 1) | 0), 0x0100_0193)
    }
    this.#even ^= this.#count
    if (this.#keeps) this.lines.push(text)
  }

  get keepsLines(): boolean {
    return this.#keeps
  }

  get digest(): string {
    const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, '0')
    return `${hex(this.#even)}${hex(this.#odd)}`
  }

  get count(): number {
    return this.#count
  }
}
