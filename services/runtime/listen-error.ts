// Why a port could not be opened, in words for who typed it.

export class ListenError extends Error {
  override readonly name = 'ListenError'
  readonly code: 'PORT_TAKEN' | 'ADDRESS_NOT_USABLE'
  readonly port: number

  constructor(code: ListenError['code'], at: Address, cause: unknown) {
    super(
      code === 'PORT_TAKEN'
        ? `port ${at.port} of ${at.host} is taken by another program`
        : `can not listen on ${at.host} port ${at.port}: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    )
    this.code = code
    this.port = at.port
  }
}

type Address = { readonly host: string; readonly port: number }

export function listenErrorOf(error: Error, at: Address): ListenError {
  const isTaken = error.message.includes('EADDRINUSE')
  return new ListenError(isTaken ? 'PORT_TAKEN' : 'ADDRESS_NOT_USABLE', at, error)
}
