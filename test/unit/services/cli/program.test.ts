// The command line without a server: how arguments are read, and what is said of wrong ones.

import { expect, test } from 'vitest'
import { readCliEnvironment } from '../../../../services/cli/config.ts'
import { type Ending, endingOf } from '../../../../services/cli/exit.ts'
import { parseStart } from '../../../../services/cli/firehose-command.ts'
import { buildProgram } from '../../../../services/cli/program.ts'
import type { Terminal } from '../../../../services/cli/terminal.ts'
import { CellfeedError, type ErrorFacts } from '../../../../services/client/cellfeed-error.ts'

const nowMs = Date.UTC(2026, 2, 10, 12)

async function run(...argv: string[]): Promise<Ending & { readonly out: string }> {
  const lines: string[] = []
  async function* nothing() {
    yield* await Promise.resolve([])
  }
  const terminal: Terminal = {
    out: (line) => void lines.push(line),
    note: () => {},
    progress: () => {},
    isInteractive: false,
    stdin: nothing(),
    nowMs: () => nowMs,
    interrupted: new AbortController().signal,
    environment: readCliEnvironment({}),
    endWith: () => {},
  }
  const ending = await buildProgram(terminal)
    .parseAsync(argv, { from: 'user' })
    .then(() => ({ exitCode: 0, line: undefined }) as const, endingOf)
  return { ...ending, out: lines.join('\n') }
}

test.each([
  ['unknown command', ['nonsense'], "unknown command 'nonsense'; see cellfeed --help"],
  ['a slip of the pen', ['folow', 'a', 'b'], '(Did you mean follow?); see cellfeed --help'],
  ['an unknown flag', ['unread', 'a', '--jason'], '(Did you mean --json?)'],
  ['too few arguments', ['follow', 'a'], "missing required argument 'author'; see cellfeed follow"],
  ['too many', ['unread', 'a', 'b'], 'too many arguments'],
  ['a number that is none', ['dashboard', 'a', '--limit', 'x'], 'Give a whole number of 1 or more'],
  ['a number that is too small', ['load', '--seconds', '0'], 'Give a number above 0'],
  ['a choice that is none', ['import', 'x', '--format', 'csv'], 'edges, ndjson'],
  ['an address that is none', ['unread', 'a', '--address', 'http://x'], 'is no address'],
])('%s is wrong usage, told in one line', async (_, argv, message) => {
  const { exitCode, line } = await run(...argv)
  expect(exitCode).toBe(2)
  expect(line).toContain(message)
  expect(line).not.toContain('\n')
})

test('help and version are no errors', async () => {
  expect(await run('--help')).toMatchObject({ exitCode: 0, line: undefined })
  expect((await run('publish', '--help')).out).toContain('Examples:')
  expect((await run('--version')).out).toMatch(/^\d+\.\d+\.\d+/)
})

test.each<[ErrorFacts['code'], string, number]>([
  ['UNAVAILABLE', 'UNREACHABLE', 3],
  ['DEADLINE_EXCEEDED', 'TIMED_OUT', 3],
  ['RESOURCE_EXHAUSTED', 'OVERLOADED', 3],
  ['INVALID_ARGUMENT', 'USER_ID_INVALID', 2],
  ['NOT_FOUND', 'POST_NOT_FOUND', 1],
  ['ALREADY_EXISTS', 'POST_EXISTS', 1],
  ['FAILED_PRECONDITION', 'USER_DELETED', 1],
])('a call that fails with %s / %s ends with exit code %d', (code, reason, exitCode) => {
  const error = new CellfeedError({ code, reason, message: 'so it is' })
  expect(endingOf(error)).toMatchObject({ exitCode, line: expect.stringContaining('so it is') })
})

test('the bad field is named if the message does not', () => {
  const facts = { code: 'INVALID_ARGUMENT', reason: 'USER_ID_INVALID', field: 'user_id' } as const
  expect(endingOf(new CellfeedError({ ...facts, message: 'too long' })).line).toBe(
    'too long (user_id)',
  )
  expect(endingOf(new CellfeedError({ ...facts, message: 'user_id: too long' })).line).toBe(
    'user_id: too long',
  )
})

test('a place in the firehose is an end, a time, offsets or a position', () => {
  expect(parseStart('earliest', nowMs)).toBe('earliest')
  expect(parseStart('2026-03-01', nowMs)).toEqual(new Date('2026-03-01'))
  expect(parseStart('2h', nowMs)).toEqual(new Date(nowMs - 7_200_000))
  expect(parseStart('0:17,3:42', nowMs)).toEqual({
    offsets: [
      { partition: 0, offset: 17n },
      { partition: 3, offset: 42n },
    ],
  })
  expect(parseStart('CAER0QVficdNrqUa', nowMs)).toEqual({ position: 'CAER0QVficdNrqUa' })
  expect(() => parseStart('never', nowMs)).toThrow('no place in the firehose')
})
