// kill -9 of `cellfeed serve`, the cluster in one process, while everybody writes; and its start from what is on disk. And what
// no server can survive, to prove that the checker sees it: the folder of some time ago put back.

import { cp, rm } from 'node:fs/promises'
import { type ClusterOptions, ClusterProcess } from '../../../tools/demo/cluster-process.ts'
import type { Fault } from '../run-chaos.ts'

export class ServeUnderTest {
  readonly #options: ClusterOptions
  #process: ClusterProcess

  private constructor(options: ClusterOptions, process: ClusterProcess) {
    this.#options = options
    this.#process = process
  }

  static async start(options: ClusterOptions): Promise<ServeUnderTest> {
    return new ServeUnderTest(options, await ClusterProcess.start(options))
  }

  get address(): string {
    return this.#process.address
  }

  get killed(): Fault {
    return {
      name: 'cellfeed serve: kill -9, restarted',
      strike: async () => {
        await this.#process.kill()
        await this.#restart()
      },
    }
  }

  /** So many acknowledged writes are lost. */
  putBack(writes: number, withinMs: number): Fault {
    const { folder } = this.#options
    const copy = `${folder}-before`
    return {
      name: 'cellfeed serve: an old copy of its folder put back',
      strike: async (load) => {
        await this.#process.kill()
        await cp(folder, copy, { recursive: true })
        await this.#restart()
        await load.tally.acknowledges(writes, withinMs)
        await this.#process.kill()
        await rm(folder, { recursive: true })
        await cp(copy, folder, { recursive: true })
        await rm(copy, { recursive: true })
        await this.#restart()
      },
    }
  }

  async stop(): Promise<void> {
    await this.#process.stop()
  }

  async #restart(): Promise<void> {
    this.#process = await ClusterProcess.start(this.#options)
  }
}
