// Addresses of servers: "host:port".

import { CellfeedError } from './cellfeed-error.ts'

/** Where a server listens unless told otherwise. */
export const defaultAddress = '127.0.0.1:7400'

/** Checks an address; a port left out is the default one. */
export function parseAddress(address: string): string {
  const parts = /^(\[[0-9a-fA-F:.]+\]|[^\s:/[\]]+)(?::(\d{1,5}))?$/.exec(address)
  const port = Number(parts?.[2] ?? portOf(defaultAddress))
  if (!parts || port < 1 || port > 65_535) {
    throw new CellfeedError({
      code: 'INVALID_ARGUMENT',
      reason: 'ADDRESS_INVALID',
      message: `"${address}" is no address: give host:port, for example ${defaultAddress}`,
    })
  }
  return `${parts[1]}:${port}`
}

/** The admin API's address unless it is given: the same host, the next port. */
export function adminAddressOf(address: string): string {
  const port = portOf(address)
  return `${address.slice(0, address.lastIndexOf(':'))}:${port + 1}`
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1))
}
