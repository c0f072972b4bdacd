// What the command line takes from its environment. The only place that reads it.

/** Paths; undefined where nothing is given. */
export interface TlsFiles {
  readonly ca: string | undefined
  readonly certificate: string | undefined
  readonly key: string | undefined
}

export interface CliEnvironment {
  /** CELLFEED_ADDRESS: where the server is, unless --address says so. */
  readonly address: string | undefined
  /** CELLFEED_ADMIN_ADDRESS: where its admin API is. */
  readonly adminAddress: string | undefined
  /** CELLFEED_TLS_CA, _CERT, _KEY: PEM files for TLS to the server; CA may be `system`. */
  readonly tls: TlsFiles
  /** For what reads its own part of it: `cellfeed serve`. */
  readonly all: Readonly<Record<string, string | undefined>>
}

export function readCliEnvironment(
  all: Readonly<Record<string, string | undefined>> = process.env,
): CliEnvironment {
  return Object.freeze({
    address: all['CELLFEED_ADDRESS'] || undefined,
    adminAddress: all['CELLFEED_ADMIN_ADDRESS'] || undefined,
    tls: Object.freeze({
      ca: all['CELLFEED_TLS_CA'] || undefined,
      certificate: all['CELLFEED_TLS_CERT'] || undefined,
      key: all['CELLFEED_TLS_KEY'] || undefined,
    }),
    all,
  })
}
