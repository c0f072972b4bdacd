// Bytes as the driver wants them, without a copy: a write has left this process, or failed, before it resolves.

export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
