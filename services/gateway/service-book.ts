// Ties a generated service definition to handlers of the right types. A response type of Buffer means that the handler
// encodes the message itself.

import type {
  handleServerStreamingCall,
  handleUnaryCall,
  Server,
  ServiceDefinition,
} from '@grpc/grpc-js'

type Method = {
  readonly path: string
  readonly requestStream: false
  readonly responseStream: boolean
  readonly requestSerialize: (value: never) => Buffer
  readonly requestDeserialize: (bytes: Buffer) => unknown
  readonly responseSerialize: (value: never) => Buffer
  readonly responseDeserialize: (bytes: Buffer) => unknown
}
type Request<M extends Method> = ReturnType<M['requestDeserialize']>
type Response<M extends Method> = Parameters<M['responseSerialize']>[0]

export type Handlers<Definition extends Record<string, Method>> = {
  readonly [Name in keyof Definition]: Definition[Name]['responseStream'] extends true
    ? handleServerStreamingCall<Request<Definition[Name]>, Response<Definition[Name]>>
    : handleUnaryCall<Request<Definition[Name]>, Response<Definition[Name]>>
}

export function addService<Definition extends Record<string, Method>>(
  server: Server,
  definition: Definition,
  handlers: Handlers<Definition>,
): void {
  // The two are made for each other by their types; gRPC only knows untyped ones.
  server.addService(definition as unknown as ServiceDefinition, handlers)
}

/** For `responseSerialize`, where the handler answers with the message's bytes. */
export function asEncoded(bytes: Buffer): Buffer {
  return bytes
}
