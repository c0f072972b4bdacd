// Folders and stores for one test each: closed and removed after it, also when it failed.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'

type Closable = { close(): Promise<void> }

export type TestFolders = {
  /** A new, empty folder. */
  readonly folder: () => Promise<string>
  /** Has it closed after the test, before the folders go. May be closed before. */
  readonly closeLater: <C extends Closable>(store: C) => C
}

/** To be called at the top of a test file. */
export function testFolders(): TestFolders {
  const folders: string[] = []
  const stores: Closable[] = []
  afterEach(async () => {
    try {
      for (const store of stores.splice(0).reverse()) await store.close()
    } finally {
      for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
    }
  })
  return {
    async folder() {
      const folder = await mkdtemp(join(tmpdir(), 'cellfeed-test-'))
      folders.push(folder)
      return folder
    },
    closeLater(store) {
      stores.push(store)
      return store
    },
  }
}
