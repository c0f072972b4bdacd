// How far an import got, in a small file beside what is imported, so that the same command again goes
// on there. It names what it is about (the file as it was, the log it went into, how lines were
// read): if any of that differs, the import begins anew, which changes nothing but takes longer.
//
// `linesDone` is a low-water mark: batches end in any order, and it passes a line only when all
// before it are done. What was sent beyond it is sent again, which changes nothing.

import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { z } from 'zod'
import { usageFailure } from '../exit.ts'

const version = 1

const badLine = z.strictObject({ number: z.number(), reason: z.string() })

const stateSchema = z.strictObject({
  version: z.literal(version),
  about: z.strictObject({
    /** Size and time of change of the file. */
    bytes: z.number(),
    changedAtMs: z.number(),
    /** How lines are read, for example "edges, mutual". */
    reading: z.string(),
    /** The log of the cluster that it goes into. */
    logId: z.string(),
  }),
  /** The time that relations count from: the same for every run. */
  asOf: z.string(),
  linesDone: z.number(),
  accepted: z.number(),
  badLines: z.number(),
  firstBadLine: badLine.optional(),
})

export type ImportState = z.infer<typeof stateSchema>
export type ImportAbout = ImportState['about']
export type BadLine = z.infer<typeof badLine>

export type LoadedState =
  | { readonly kind: 'none' }
  | { readonly kind: 'goesOn'; readonly state: ImportState }
  /** There is one, about something else: `why` says in which way. */
  | { readonly kind: 'other'; readonly why: string }

export async function loadState(path: string, about: ImportAbout): Promise<LoadedState> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (thrown) {
    if (isCode(thrown, 'ENOENT')) return { kind: 'none' }
    throw unusable(path, thrown)
  }
  const state = parseState(text)
  if (state === undefined) {
    throw usageFailure(
      `${path} is no progress file of an import: remove it, or name another with --state`,
    )
  }
  const why = differenceOf(state.about, about)
  return why === undefined ? { kind: 'goesOn', state } : { kind: 'other', why }
}

/** Written whole beside it, then renamed: an interruption leaves the old one or the new one. */
export async function saveState(path: string, state: ImportState): Promise<void> {
  try {
    await writeFile(`${path}.new`, `${JSON.stringify(state)}\n`)
    await rename(`${path}.new`, path)
  } catch (thrown) {
    throw unusable(path, thrown)
  }
}

export async function removeState(path: string): Promise<void> {
  await rm(path, { force: true })
}

function parseState(text: string): ImportState | undefined {
  try {
    return stateSchema.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}

function differenceOf(then: ImportAbout, now: ImportAbout): string | undefined {
  if (then.logId !== now.logId) return 'it went into another cluster'
  if (then.bytes !== now.bytes || then.changedAtMs !== now.changedAtMs)
    return 'the file has changed'
  if (then.reading !== now.reading) return `it was read as ${then.reading}`
  return undefined
}

function unusable(path: string, cause: unknown): Error {
  const why = cause instanceof Error ? cause.message : String(cause)
  return usageFailure(
    `the progress file ${path} can not be used (${why}): name another with --state, or go without it by --no-state`,
    cause,
  )
}

function isCode(thrown: unknown, code: string): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === code
}
