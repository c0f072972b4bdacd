// Encodes a message by the generated code into a writer that is used again and again: a new one for each message takes its
// bytes from outside the heap, doubles them, and leaves them to the collector (0.9 us against 1.3 for a token; a page has
// seven messages).

import { BinaryWriter } from '@bufbuild/protobuf/wire'

type Encoder<Message> = {
  readonly encode: (message: Message, writer?: BinaryWriter) => BinaryWriter
}

const writer = new BinaryWriter()

/** Encoding is synchronous, so nobody else writes meanwhile. */
export function encoded<Message>(encoder: Encoder<Message>, message: Message): Buffer {
  try {
    encoder.encode(message, writer)
  } catch (error) {
    writer.finish()
    throw error
  }
  const { buffer, byteOffset, byteLength } = writer.finish()
  return Buffer.from(buffer, byteOffset, byteLength)
}
