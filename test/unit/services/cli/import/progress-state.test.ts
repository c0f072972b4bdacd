// The progress file of an import: it goes on where it was, and never somewhere else.

import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  type ImportState,
  loadState,
  removeState,
  saveState,
} from '../../../../../services/cli/import/progress-state.ts'

let folder: string
let path: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cellfeed-test-'))
  path = join(folder, 'graph.import-state')
})
afterEach(async () => {
  await rm(folder, { recursive: true })
})

const about = { bytes: 10, changedAtMs: 20, reading: 'edges, mutual', logId: 'abc' }
const state: ImportState = {
  version: 1,
  about,
  asOf: '2026-03-01T00:00:00.000Z',
  linesDone: 3,
  accepted: 2,
  badLines: 1,
  firstBadLine: { number: 2, reason: 'expected two user ids, found 1' },
}

describe('progress file', () => {
  test('what was saved is gone on with, until it is removed', async () => {
    expect(await loadState(path, about)).toEqual({ kind: 'none' })
    await saveState(path, state)
    await saveState(path, { ...state, linesDone: 4 })
    const goesOn = { kind: 'goesOn', state: { ...state, linesDone: 4 } }
    expect(await loadState(path, about)).toEqual(goesOn)
    await removeState(path)
    expect(await readdir(folder)).toEqual([])
  })

  test.each([
    [{ logId: 'def' }, 'another cluster'],
    [{ bytes: 11 }, 'has changed'],
    [{ changedAtMs: 21 }, 'has changed'],
    [{ reading: 'edges' }, 'edges, mutual'],
  ])('it is not gone on with when %o', async (difference, why) => {
    await saveState(path, state)
    expect(await loadState(path, { ...about, ...difference })).toEqual({
      kind: 'other',
      why: expect.stringContaining(why) as string,
    })
  })

  test('a file that is something else is left alone', async () => {
    await writeFile(path, 'my diary')
    await expect(loadState(path, about)).rejects.toMatchObject({ exitCode: 2 })
  })

  test('a place that can not be written is said at once', async () => {
    await expect(saveState(join(folder, 'no', 'such'), state)).rejects.toThrow('--no-state')
  })
})
