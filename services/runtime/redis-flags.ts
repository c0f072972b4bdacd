// How a cell is told where its Redis is and how to be let in.

import { z } from 'zod'
import { fileText, type Flag, flag, pemText, secretVariable } from './flags.ts'
import { authorities, secretOf, type TlsConfig, tlsFlagsOf, tlsOf } from './tls-flags.ts'

export type RedisConfig = {
  readonly host: string
  readonly port: number
  readonly database: number
  readonly username: string | undefined
  readonly password: string | undefined
  readonly tls: TlsConfig | undefined
}

const PORT_DEFAULT = 6379
const WANTED = 'wants redis://host:port/database, or rediss:// for TLS'

export const REDIS_FIELDS = {
  redis: redisAddress().prefault('redis://127.0.0.1:6379/0'),
  redisPasswordFile: fileText().optional(),
  redisPassword: z.string().optional(),
  redisTlsCa: authorities(),
  redisTlsCert: pemText().optional(),
  redisTlsKey: pemText().optional(),
}
type Given = z.output<z.ZodObject<typeof REDIS_FIELDS>>

export const REDIS_FLAGS: readonly Flag[] = [
  flag(
    '--redis <address>',
    'redis',
    "this cell's cache: redis://host:port/database (default: redis://127.0.0.1:6379/0);\n" +
      'rediss:// for TLS, redis://name@host for a user of its own',
  ),
  flag(
    '--redis-password-file <file>',
    'redisPasswordFile',
    'the password (or in CELLFEED_REDIS_PASSWORD)',
  ),
  secretVariable('redisPassword', 'the password itself'),
  ...tlsFlagsOf('redis', 'Redis'),
]

/** What does not fit together is pushed to `errors`. */
export function redisConfigOf(given: Given, errors: string[]): RedisConfig {
  const { isTls, ...address } = given.redis
  const password = secretOf(
    { file: given.redisPasswordFile, variable: given.redisPassword },
    { file: '--redis-password-file', variable: 'CELLFEED_REDIS_PASSWORD' },
    errors,
  )
  if (address.username !== undefined && password === undefined) {
    errors.push('--redis names a user: give the password with --redis-password-file')
  }
  const ca = given.redisTlsCa ?? (isTls ? 'system' : undefined)
  if (!isTls && ca !== undefined) {
    errors.push('--redis-tls-ca: --redis has to begin with rediss:// then')
  }
  const tlsGiven = { ca, certificate: given.redisTlsCert, key: given.redisTlsKey }
  return Object.freeze({ ...address, password, tls: tlsOf(tlsGiven, 'redis', errors) })
}

function redisAddress() {
  return z.string().transform((text, context) => {
    const refuse = (message: string) => {
      context.issues.push({ code: 'custom', input: text, message })
      return z.NEVER
    }
    if (!URL.canParse(text)) return refuse(WANTED)
    const url = new URL(text)
    const [, database = ''] = /^\/?(\d{0,3})$/.exec(url.pathname) ?? [undefined, undefined]
    const isRedis = url.protocol === 'redis:' || url.protocol === 'rediss:'
    if (!isRedis || url.hostname === '' || !/^\/?\d{0,3}$/.test(url.pathname)) return refuse(WANTED)
    if (url.password !== '') {
      return refuse(
        'holds a password, which every program of the machine can read: give it with --redis-password-file',
      )
    }
    return {
      isTls: url.protocol === 'rediss:',
      host: url.hostname.replaceAll(/^\[|\]$/g, ''),
      port: url.port === '' ? PORT_DEFAULT : Number(url.port),
      database: Number(database),
      username: url.username === '' ? undefined : decodeURIComponent(url.username),
    }
  })
}
