// TLS between processes, as gRPC wants it. A server that has authorities lets in only who shows a certificate of theirs.

import { type ChannelCredentials, credentials, ServerCredentials } from '@grpc/grpc-js'
import type { ProcessTls } from './process-flags.ts'

export function serverCredentials(tls: ProcessTls | undefined): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure()
  const authorities = tls.ca === undefined ? null : Buffer.from(tls.ca)
  const own = { private_key: Buffer.from(tls.key), cert_chain: Buffer.from(tls.certificate) }
  return ServerCredentials.createSsl(authorities, [own], authorities !== null)
}

/** What a process shows and trusts when it calls another. */
export function channelCredentials(tls: ProcessTls | undefined): ChannelCredentials {
  if (tls === undefined) return credentials.createInsecure()
  const authorities = tls.ca === undefined ? null : Buffer.from(tls.ca)
  return credentials.createSsl(authorities, Buffer.from(tls.key), Buffer.from(tls.certificate))
}
