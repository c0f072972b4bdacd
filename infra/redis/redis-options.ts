// How to reach Redis, and what keys begin with.

import type { TlsOptions } from '../connection/tls-options.ts'

export type RedisOptions = {
  readonly host: string
  readonly port: number
  readonly database: number
  readonly username: string | undefined
  readonly password: string | undefined
  readonly tls: TlsOptions | undefined
  /** Every key begins with `<prefix>:`. */
  readonly prefix: string
}
