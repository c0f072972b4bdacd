// TLS of a connection to an engine, told by three flags that name PEM files: whom to trust, and what to show. Without them
// the connection is plain.

import { createSecureContext } from 'node:tls'
import { z } from 'zod'
import { type Flag, flag, pemText } from './flags.ts'

/** PEM texts. */
export type TlsConfig = {
  /** Undefined: whom the system trusts. */
  readonly ca: string | undefined
  /** Both or none. */
  readonly certificate: string | undefined
  readonly key: string | undefined
}
export type TlsGiven = {
  readonly ca: string | undefined
  readonly certificate: string | undefined
  readonly key: string | undefined
}

/** Given in place of a file: trust whom the system trusts. */
const SYSTEM = 'system'

/** A PEM file, or the word `system`. */
export function authorities() {
  return z.union([z.literal(SYSTEM), pemText()]).optional()
}

/** The three flags of an engine; their keys begin with its name. */
export function tlsFlagsOf(engine: 'kafka' | 'cassandra' | 'redis', title: string): Flag[] {
  return [
    flag(
      `--${engine}-tls-ca <file>`,
      `${engine}TlsCa`,
      `TLS to ${title}: the authorities to trust, in PEM; "system": those of the system`,
    ),
    flag(`--${engine}-tls-cert <file>`, `${engine}TlsCert`, 'certificate to show, in PEM'),
    flag(`--${engine}-tls-key <file>`, `${engine}TlsKey`, 'its key, in PEM'),
  ]
}

/** Undefined: a plain connection. What does not fit together is pushed to `errors`. */
export function tlsOf(
  given: TlsGiven,
  engine: 'kafka' | 'cassandra' | 'redis',
  errors: string[],
): TlsConfig | undefined {
  const { ca, certificate, key } = given
  const name = `--${engine}-tls`
  if ((certificate === undefined) !== (key === undefined)) {
    errors.push(`${name}-cert and ${name}-key go together: give both, or none`)
  }
  if (ca === undefined) {
    if (certificate !== undefined || key !== undefined) {
      errors.push(`${name}-cert needs ${name}-ca: a file, or "system" for whom the system trusts`)
    }
    return undefined
  }
  const tls = Object.freeze({ ca: ca === SYSTEM ? undefined : ca, certificate, key })
  checkPem(tls, name, errors)
  return tls
}

/** Whether the certificates can be read and the key is the certificate's. */
export function checkPem(tls: TlsConfig, name: string, errors: string[]): void {
  const { ca, certificate: cert, key } = tls
  if ((cert === undefined) !== (key === undefined)) return
  try {
    createSecureContext({ ca, cert, key })
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    errors.push(`${name}-ca, ${name}-cert, ${name}-key: these files can not be used (${why})`)
  }
}

/** A secret from a file, without the line end that editors add, or from the environment; not from both. */
export function secretOf(
  given: { readonly file: string | undefined; readonly variable: string | undefined },
  names: { readonly file: string; readonly variable: string },
  errors: string[],
): string | undefined {
  if (given.file !== undefined && given.variable !== undefined) {
    errors.push(`${names.file} and ${names.variable}: give one of them`)
  }
  const secret = given.file?.replace(/\r?\n$/, '') ?? given.variable
  if (secret === '') errors.push(`${names.file}: the file is empty`)
  return secret
}
