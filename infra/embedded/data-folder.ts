// The data folder of a cluster in one process. Opening it claims it for this process; each store has a folder of its own.
//
//     <data>/format          the version of this layout
//     <data>/id              what tells it from others (folder-lock.ts)
//     <data>/lock            who uses it (folder-lock.ts)
//     <data>/unsynced        there while it is used with fsync 'never'
//     <data>/firehose        the log
//     <data>/control         placement, boot numbers, leases
//     <data>/cells/<name>    a cell's store

import { access, constants, mkdir, open, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { uptime } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { EmbeddedCellStore } from './cell-store.ts'
import { EmbeddedControlStore } from './control-store.ts'
import { DataFolderError } from './data-folder-error.ts'
import type { FsyncMode } from './environment.ts'
import { EmbeddedFirehose, type EmbeddedFirehoseOptions } from './firehose.ts'
import { type FolderLock, lockFolder } from './folder-lock.ts'

export const DATA_FOLDER_FORMAT = 1
const FORMAT_FILE = 'format'
const UNSYNCED_FILE = 'unsynced'
const BOOT_SECONDS_APART_MIN = 600

export type DataFolderOptions = { readonly path: string; readonly fsync?: FsyncMode }
export type FolderFirehoseOptions = Omit<EmbeddedFirehoseOptions, 'path' | 'fsync'>

export class DataFolder {
  readonly path: string
  readonly fsync: FsyncMode
  readonly #lock: FolderLock

  /** Makes the folder if there is none. Throws DataFolderError. */
  static async open({ path, fsync = 'always' }: DataFolderOptions): Promise<DataFolder> {
    await makeWritable(path)
    const lock = await lockWritable(path)
    try {
      await settleFormat(path)
      await settleSyncing(path, fsync)
    } catch (error) {
      await lock.release()
      throw error
    }
    return new DataFolder(path, fsync, lock)
  }

  private constructor(path: string, fsync: FsyncMode, lock: FolderLock) {
    this.path = path
    this.fsync = fsync
    this.#lock = lock
  }

  openFirehose(options: FolderFirehoseOptions): Promise<EmbeddedFirehose> {
    const path = join(this.path, 'firehose')
    return EmbeddedFirehose.open({ ...options, path, fsync: this.fsync })
  }

  openControlStore(): Promise<EmbeddedControlStore> {
    return EmbeddedControlStore.open({ path: join(this.path, 'control'), fsync: this.fsync })
  }

  openCellStore(cell: string): Promise<EmbeddedCellStore> {
    const path = join(this.path, 'cells', cell)
    return EmbeddedCellStore.open({ path, fsync: this.fsync })
  }

  /** To be called when the stores are closed: then it may be opened again. */
  async close(): Promise<void> {
    if (this.fsync === 'never') await syncStores(this.path)
    await this.#lock.release()
  }
}

async function makeWritable(path: string): Promise<void> {
  try {
    await makeFolder(resolve(path))
    await access(path, constants.W_OK)
  } catch (error) {
    throw notWritable(path, error)
  }
}

/** Makes the folder and those above it. One by one: Node's recursive mkdir never ends where the system says ENOENT (/proc). */
async function makeFolder(path: string): Promise<void> {
  const exists = await access(path).then(
    () => true,
    () => false,
  )
  if (exists) return
  await makeFolder(dirname(path))
  await mkdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
}

async function lockWritable(path: string): Promise<FolderLock> {
  try {
    return await lockFolder(path)
  } catch (error) {
    throw error instanceof DataFolderError ? error : notWritable(path, error)
  }
}

function notWritable(path: string, cause: unknown): DataFolderError {
  const why = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
  return new DataFolderError(
    'NOT_WRITABLE',
    `${path} cannot be written (${why}): give write access, or name another data folder`,
    { cause },
  )
}

async function settleFormat(path: string): Promise<void> {
  const file = join(path, FORMAT_FILE)
  const found = await readFileIfAny(file)
  if (found === undefined) {
    await writeFile(file, `${DATA_FOLDER_FORMAT}\n`)
  } else if (Number(found) > DATA_FOLDER_FORMAT) {
    throw new DataFolderError(
      'NEWER_FORMAT',
      `${path} has format ${found.trim()}, this version reads up to ${DATA_FOLDER_FORMAT}: use a newer cellfeed`,
    )
  }
}

/**
 * With fsync 'never' a mark names the boot of the system, until all is synced after all. Found under another boot, what was
 * written then may have reached the disk in part: nothing in the folder can be trusted. Within the same boot the system
 * still has it all.
 */
async function settleSyncing(path: string, fsync: FsyncMode): Promise<void> {
  const file = join(path, UNSYNCED_FILE)
  const boot = await bootOfSystem()
  const marked = await readFileIfAny(file)
  if (marked !== undefined && !isSameBoot(marked, boot)) {
    throw new DataFolderError(
      'LOST_WRITES',
      `${path} was in use without fsync when the system went down and may be damaged: name another data folder`,
    )
  }
  if (fsync === 'never') await writeFile(file, boot, { flush: true })
  else if (marked !== undefined) await syncStores(path)
}

async function syncStores(path: string): Promise<void> {
  const cells = await readdir(join(path, 'cells')).catch(() => [])
  const folders = ['firehose', 'control', ...cells.map((cell) => join('cells', cell))]
  for (const folder of folders) await syncIfAny(join(path, folder, 'data.mdb'))
  await rm(join(path, UNSYNCED_FILE), { force: true })
}

async function syncIfAny(file: string): Promise<void> {
  const handle = await open(file, 'r+').catch(absentAsUndefined)
  await handle?.datasync()
  await handle?.close()
}

/** The kernel's name of this boot; where there is none, its time in Unix seconds. */
async function bootOfSystem(): Promise<string> {
  const id = await readFileIfAny('/proc/sys/kernel/random/boot_id')
  return id ?? `${Math.round(Date.now() / 1_000 - uptime())}`
}

/** Times of one boot differ as the clock is set meanwhile. */
function isSameBoot(a: string, b: string): boolean {
  return a === b || Math.abs(Number(a) - Number(b)) < BOOT_SECONDS_APART_MIN
}

function readFileIfAny(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(absentAsUndefined)
}

function absentAsUndefined(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
  throw error
}
