// What the command line takes from its environment. The only place that reads it.

export interface CliEnvironment {
  /** CELLFEED_ADDRESS: where the server is, unless --address says so. */
  readonly address: string | undefined
  /** CELLFEED_ADMIN_ADDRESS: where its admin API is. */
  readonly adminAddress: string | undefined
  /** For what reads its own part of it: `cellfeed serve`. */
  readonly all: Readonly<Record<string, string | undefined>>
}

export function readCliEnvironment(
  all: Readonly<Record<string, string | undefined>> = process.env,
): CliEnvironment {
  return Object.freeze({
    address: all['CELLFEED_ADDRESS'] || undefined,
    adminAddress: all['CELLFEED_ADMIN_ADDRESS'] || undefined,
    all,
  })
}
