// Brokers of a test's own, to be stopped, paused and killed. They end with the test file, with their data.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { type InstalledEngines, installEngines } from '../../../infra/local/installed-engines.ts'
import { readServersConfig } from '../config.ts'

export type OwnPlace = {
  readonly engines: InstalledEngines
  readonly folder: string
  readonly quickStart: true
  /** Called at the end, before the folder is removed. */
  readonly atEnd: (stop: () => Promise<void>) => void
}

export async function ownPlace(): Promise<OwnPlace> {
  const folder = await mkdtemp(join(tmpdir(), 'cellfeed-kafka-'))
  const stops: (() => Promise<void>)[] = []
  afterAll(async () => {
    for (const stop of stops) await stop()
    await rm(folder, { recursive: true, force: true })
  })
  const engines = await installEngines(readServersConfig())
  return { engines, folder, quickStart: true, atEnd: (stop) => void stops.push(stop) }
}
