// Keeps the tree readable: small files that say what they are, names that mean something, nothing
// left for later, nothing that holds only on the machine where it was written. Imports between
// layers are the linter's to check (.oxlintrc.json).

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, extname, join } from 'node:path'
import { expect, test } from 'vitest'
import { nodeFlags } from '../../tools/demo/cluster-process.ts'

const root = join(import.meta.dirname, '../..')
const linesMax = 400
const textBytesMax = 1 << 20

const shippedFolders = ['cells', 'infra', 'services']
const sourceFolders = [...shippedFolders, 'test', 'tools']
const textExtensions = new Set(['', '.json', '.md', '.proto', '.sh', '.ts', '.yaml', '.yml'])
const namelessFolders = ['utils', 'util', 'common', 'helpers', 'helper', 'types', 'misc']

// Written so that this file does not match itself.
const leftForLater = /\b(?:TO[D]O|FIX[M]E|X[X]X)\b/
const narrowedTest = /\b(?:it|test|describe|suite)\.(?:only|skip|todo)\b/
const wordNotUsed = /s[h]ard|time[l]ine/i
const machinePath = /(?<![\w.-])\/(?:work|root)\//
const registryHost =
  /\b(?:registry\.[\w-]+\.[\w.-]+|files\.pythonhosted\.org|repo1?\.maven[\w.]*|proxy\.golang\.org)\b/

/** Every file below a folder, as paths from the root of the repository. None if it does not exist. */
const filesBelow = (folder: string): string[] =>
  existsSync(join(root, folder))
    ? readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
        const path = join(folder, entry.name)
        if (entry.name === '.git') return []
        if (entry.isDirectory()) return isTracked(entry.name) ? filesBelow(path) : []
        return entry.isFile() ? [path] : []
      })
    : []

const ignoredFolders = readFileSync(join(root, '.gitignore'), 'utf8')
  .split('\n')
  .filter((line) => line.endsWith('/'))
  .map((line) => line.slice(0, -1))
const isTracked = (folderName: string) => !ignoredFolders.includes(folderName)

const read = (path: string) => readFileSync(join(root, path), 'utf8')
const isText = (path: string) =>
  textExtensions.has(extname(path)) && statSync(join(root, path)).size <= textBytesMax

const sources = sourceFolders.flatMap(filesBelow).filter((path) => extname(path) === '.ts')
const shipped = shippedFolders.flatMap(filesBelow).filter((path) => extname(path) === '.ts')
const texts = filesBelow('.').filter(isText)

/** `path:line: the line` of every line that matches. */
const linesMatching = (paths: string[], pattern: RegExp): string[] =>
  paths.flatMap((path) =>
    read(path)
      .split('\n')
      .flatMap((line, at) =>
        pattern.test(line) ? [`${path}:${at + 1}: ${line.trim().slice(0, 80)}`] : [],
      ),
  )

const expectNone = (offenders: string[], rule: string) => {
  expect(offenders, `${rule}: ${offenders.join(' | ')}`).toHaveLength(0)
}

test('every source file begins by saying what it is', () => {
  const hasHeader = (text: string) => /^(?:#!.*\n+)?(?:\/\/ \S|\/\*\*)/.test(text)
  expectNone(
    sources.filter((path) => !hasHeader(read(path))),
    'a source file starts with a // or /** header comment (after a #! line, if any)',
  )
})

test('no source file is longer than 400 lines', () => {
  const lines = (path: string) => read(path).trimEnd().split('\n').length
  expectNone(
    sources.filter((path) => lines(path) > linesMax).map((path) => `${path} (${lines(path)})`),
    `split a file of more than ${linesMax} lines`,
  )
})

test('nothing is left for later', () => {
  expectNone(linesMatching(sources, leftForLater), 'do it, or open an issue')
})

test('file and folder names are kebab-case', () => {
  const isKebab = (path: string) =>
    /^(?:[a-z\d]+(?:-[a-z\d]+)*\/)+[a-z\d]+(?:[-.][a-z\d]+)*$/.test(path)
  expectNone(
    sources.filter((path) => !isKebab(path)),
    'names are kebab-case, after the main export',
  )
})

test('folders are named after an idea, and no file only passes exports on', () => {
  const isNameless = (path: string) =>
    path.split('/').some((part) => namelessFolders.includes(part)) || basename(path) === 'index.ts'
  expectNone(sources.filter(isNameless), 'name the idea (no utils, common, helpers, no index.ts)')
})

test('only the words of the design are used for its things', () => {
  const inNames = shipped.filter((path) => wordNotUsed.test(path))
  expectNone(
    [...inNames, ...linesMatching(shipped, wordNotUsed)],
    'say slot or partition, dashboard or inbox',
  )
})

test('no test is switched off or singled out', () => {
  expectNone(
    linesMatching(
      filesBelow('test').filter((path) => sources.includes(path)),
      narrowedTest,
    ),
    'every test runs',
  )
})

test('nothing refers to the machine where it was written', () => {
  expectNone(linesMatching(texts, machinePath), 'no absolute path of one machine')
  expectNone(linesMatching(texts, registryHost), 'no host name of a package registry')
})

test('the command and the image start node alike', () => {
  const [first] = read('services/cli/main.ts').split('\n')
  expect(first).toBe(`#!/usr/bin/env -S node ${nodeFlags.join(' ')}`)
  const start = ['node', ...nodeFlags, 'dist/services/cli/main.js'].map((word) => `"${word}"`)
  expect(read('infra/compose/Dockerfile')).toContain(`ENTRYPOINT [${start.join(', ')}]`)
})
