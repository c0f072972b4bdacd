// One process at a time owns a data folder. The lock is the kernel's, so it ends with its process, however that ends: nothing
// stale is left by kill -9, and two processes that start at once cannot both get it.
//
//   Linux    an abstract socket named after the folder (not seen from another network namespace); of full length, as Node's versions
//            differ in how they pad a shorter one
//   Windows  a named pipe of the same name
//   others   the lock file itself, opened with O_EXLOCK
//
// A folder's name is its device, its inode and the id in its file `id`: the inode of one that was removed may be given to another while
// its process still runs, and a copy of a folder has the same id.
//
// The file `lock` tells people which process it is; it decides nothing.

import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import {
  copyFile,
  type FileHandle,
  link,
  open,
  readFile,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { DataFolderError } from './data-folder-error.ts'

export type FolderLock = { release(): Promise<void> }

const LOCK_FILE = 'lock'
const ID_FILE = 'id'
/** O_EXLOCK | O_NONBLOCK of macOS and the BSDs; Node has no names for them. */
const O_EXCLUSIVE_NOW = 0x20 | 0x4
/** What file systems without hard links say. */
const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP'])
const TRIES_MAX = 20
const RETRY_MS = 50
/** Bytes of a socket's path on Linux. */
const SOCKET_PATH_BYTES = 108

/** Throws DataFolderError IN_USE while another process, or this one, has the folder. */
export async function lockFolder(path: string): Promise<FolderLock> {
  const name = await socketName(path)
  const held = name === undefined ? await holdFile(path) : await holdSocket(name)
  if (held === undefined) throw await inUse(path)
  try {
    await writeFile(join(path, LOCK_FILE), `${process.pid}\n`)
  } catch (error) {
    await held.release()
    throw error
  }
  return held
}

async function socketName(path: string): Promise<string | undefined> {
  const { platform } = process
  if (platform !== 'linux' && platform !== 'win32') return undefined
  const { dev, ino } = await stat(path, { bigint: true })
  const name = `cellfeed-${dev}-${ino}-${await idOf(path)}`
  return platform === 'linux' ? `\0${name}`.padEnd(SOCKET_PATH_BYTES, '-') : `\\\\.\\pipe\\${name}`
}

/** The same for all who ask at once: whoever makes the file first gives it. */
async function idOf(path: string): Promise<string> {
  const file = join(path, ID_FILE)
  const known = await readFile(file, 'utf8').catch(() => '')
  if (isWhole(known)) return known.trim()
  const draft = `${file}.${randomUUID()}`
  await writeFile(draft, `${randomUUID()}\n`)
  try {
    await link(draft, file).catch((error: NodeJS.ErrnoException) => {
      if (NO_LINKS.has(error.code ?? '')) return copyFile(draft, file, constants.COPYFILE_EXCL)
      throw error
    })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    await rm(draft, { force: true })
  }
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const id = await readFile(file, 'utf8')
    if (isWhole(id)) return id.trim()
    // Somebody is copying it at this moment.
    await setTimeout(RETRY_MS)
  }
  throw new DataFolderError('NOT_WHOLE', `${file} was not written to its end: remove it`)
}

function isWhole(id: string): boolean {
  return id.endsWith('\n')
}

function holdSocket(name: string): Promise<FolderLock | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((connection) => connection.destroy())
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined)
      else reject(error)
    })
    // The lock alone keeps no process alive.
    server.listen(name, () => resolve({ release: () => closed(server) })).unref()
  })
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
  })
}

async function holdFile(path: string): Promise<FolderLock | undefined> {
  const flags = constants.O_RDWR | constants.O_CREAT | O_EXCLUSIVE_NOW
  try {
    const file: FileHandle = await open(join(path, LOCK_FILE), flags)
    return { release: () => file.close() }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return undefined
    throw error
  }
}

async function inUse(path: string): Promise<DataFolderError> {
  const pid = await readFile(join(path, LOCK_FILE), 'utf8').catch(() => '')
  const who = /^\d+\n$/.test(pid) ? `process ${pid.trim()}` : 'another process'
  return new DataFolderError(
    'IN_USE',
    `${path} is in use by ${who}: stop it, or name another data folder`,
  )
}
