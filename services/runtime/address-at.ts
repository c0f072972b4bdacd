// host:port, IPv6 addresses in brackets.

export function addressAt(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}
