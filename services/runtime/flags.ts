// The form that the config of every process has: flags of the command line, each with a variable of the environment beside
// it. Texts come in, values go out, and all mistakes are told at once, each with the flag or variable that it is in.

import { readFileSync } from 'node:fs'
import { z } from 'zod'

export type Flag = {
  /** As commander wants it: `--port <port>`. Undefined: only the environment has it, as command lines are no place for secrets. */
  readonly flags: string | undefined
  /** The key of its value in what commander hands over, and in what is parsed. */
  readonly key: string
  readonly environment: string
  readonly description: string
}
/** One line each: what is wrong and with which flag. */
export type ConfigErrors = { readonly errors: readonly string[] }
export type Raw = Readonly<Record<string, unknown>>
export type Environment = Readonly<Record<string, string | undefined>>

const UNITS_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const PORT_MAX = 65_535

/** `raw` by the keys of the flags, as texts, numbers or true. A flag wins; an empty variable counts as absent. */
export function readFlags<Fields extends z.ZodRawShape>(
  { fields, flags }: { readonly fields: Fields; readonly flags: readonly Flag[] },
  raw: Raw,
  environment: Environment,
): z.output<z.ZodObject<Fields>> | ConfigErrors {
  const texts = Object.fromEntries(
    flags.map(({ key, environment: name }) => [
      key,
      textOf(raw[key] ?? (environment[name] || undefined)),
    ]),
  )
  const parsed = z.object(fields).safeParse(texts)
  if (parsed.success) return parsed.data
  return { errors: parsed.error.issues.map((issue) => describe(issue, flags, texts, raw)) }
}

export function isConfigErrors(parsed: object): parsed is ConfigErrors {
  return 'errors' in parsed
}

export function flag(flags: string, key: string, description: string): Flag {
  return { flags, key, environment: variableOf(key), description }
}

/** Told by a variable of the environment alone. */
export function secretVariable(key: string, description: string): Flag {
  return { flags: undefined, key, environment: variableOf(key), description }
}

export function integer(min: number, max: number) {
  const message = `wants a whole number from ${min} to ${max}`
  return z
    .string()
    .refine((text) => /^\d{1,9}$/.test(text) && Number(text) >= min && Number(text) <= max, message)
    .transform(Number)
}

/** A flag without a value; in the environment `true` or `false`. */
export function toggle() {
  return z
    .enum(['true', 'false'], 'wants true or false')
    .default('false')
    .transform((text) => text === 'true')
}

export function port() {
  return integer(0, PORT_MAX)
}

export function duration() {
  return z
    .string()
    .regex(/^[1-9]\d{0,8}(ms|s|m|h|d)$/, 'wants a time such as 500ms, 10s, 15m, 12h or 7d')
    .transform((text) => {
      const unit = text.replace(/\d+/, '') as keyof typeof UNITS_MS
      return Number.parseInt(text, 10) * UNITS_MS[unit]
    })
}

/** One host:port, IPv6 addresses in brackets. */
export function hostPort() {
  return z.string().refine(isHostPort, 'wants host:port')
}

/** Several, with commas between them. */
export function hostPorts() {
  return z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .refine((parts) => parts.every(isHostPort), 'wants host:port, or several with commas between')
}

/** The path of a file that can be read; its text. */
export function fileText() {
  return z.string().transform((path, context) => {
    try {
      return readFileSync(path, 'utf8')
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
      context.issues.push({
        code: 'custom',
        input: path,
        message: `can not read ${path} (${code})`,
      })
      return z.NEVER
    }
  })
}

/** A PEM file: what TLS is set up with. */
export function pemText() {
  return fileText().refine((text) => text.includes('-----BEGIN '), 'wants a file in PEM format')
}

/** The port of the status page: the one after the main port unless it is named. */
export function portAfter(main: number, given: number | undefined): number {
  return given ?? (main === 0 ? 0 : main + 1)
}

/** What is wrong with ports that one process opens together: `{ '--port': 7400, ... }`. */
export function portConflicts(ports: Readonly<Record<string, number>>): string[] {
  const errors: string[] = []
  const named = Object.values(ports).filter((number) => number !== 0)
  const names = Object.keys(ports)
  if (new Set(named).size < named.length) {
    const last = names.at(-1)
    errors.push(`${names.slice(0, -1).join(', ')} and ${last} have to be different`)
  }
  for (const [name, number] of Object.entries(ports)) {
    if (number > PORT_MAX) errors.push(`${name}: name one, ${number} is none`)
  }
  return errors
}

function isHostPort(text: string): boolean {
  const [, number] = /^(?:[\w.-]+|\[[\da-fA-F:.]+\]):(\d{1,5})$/.exec(text) ?? []
  return number !== undefined && Number(number) >= 1 && Number(number) <= PORT_MAX
}

function variableOf(key: string): string {
  return `CELLFEED_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
}

function describe(issue: z.core.$ZodIssue, flags: readonly Flag[], texts: Raw, raw: Raw): string {
  const flagged = flags.find(({ key }) => key === issue.path[0])
  if (flagged === undefined) return issue.message
  const name = flagged.flags?.split(' ')[0]
  if (name === undefined) return `${flagged.environment} ${issue.message}`
  const isFromVariable = raw[flagged.key] === undefined && texts[flagged.key] !== undefined
  const from = isFromVariable ? ` (from ${flagged.environment})` : ''
  return `${name}${from} ${issue.message}`
}

function textOf(value: unknown): unknown {
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : value
}
