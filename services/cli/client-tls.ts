// TLS from client commands to a cluster that speaks it: files named by the environment, as they are the same for every command.

import { readFileSync } from 'node:fs'
import type { ClientTls } from '../client/connect.ts'
import type { TlsFiles } from './config.ts'
import { usageFailure } from './exit.ts'

/** Given in place of a file: trust whom the system trusts. */
const SYSTEM = 'system'

/** Undefined when nothing is given: a plain connection. Throws CommandFailure. */
export function clientTls({ ca, certificate, key }: TlsFiles): ClientTls | undefined {
  if (ca === undefined && certificate === undefined && key === undefined) return undefined
  if ((certificate === undefined) !== (key === undefined)) {
    throw usageFailure('CELLFEED_TLS_CERT and CELLFEED_TLS_KEY go together: give both, or none')
  }
  return {
    ca: ca === SYSTEM ? undefined : textOf(ca, 'CELLFEED_TLS_CA'),
    certificate: textOf(certificate, 'CELLFEED_TLS_CERT'),
    key: textOf(key, 'CELLFEED_TLS_KEY'),
  }
}

function textOf(path: string | undefined, variable: string): string | undefined {
  if (path === undefined) return undefined
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw usageFailure(`${variable}: can not read ${path}`, error)
  }
}
