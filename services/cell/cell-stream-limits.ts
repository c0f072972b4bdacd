// Bounds of the stream between a gateway and a cell; both ends use these.

export type CellStreamLimits = {
  /** Either end says something so often, and gives the stream up after so many of these without a word. */
  readonly signOfLifeMs: number
  readonly silentSignsMax: number
  /** Calls without an answer on one stream. Over it: CELL_BUSY. */
  readonly callsInFlightMax: number
  /** Answers that the stream does not take yet. While there are more, asks are answered CELL_BUSY. */
  readonly repliesBytesMax: number
  /** A message on the stream ends with the frame that reaches this size. */
  readonly batchBytes: number
  /** Largest message: a batch, and a last reply of one post and its origin, each some 130 KB, or of a page that fits. */
  readonly messageBytesMax: number
  /** Items of a watch sent ahead of their being taken. */
  readonly watchItemsAhead: number
  /** How long a call waits for the answer `late` after it was cancelled. */
  readonly cancelGraceMs: number
  /** How long opening a connection may take, and the pauses between attempts. */
  readonly connectMs: number
  readonly reconnectMs: number
  readonly reconnectMaxMs: number
}

export const CELL_STREAM_LIMITS: CellStreamLimits = {
  signOfLifeMs: 500,
  silentSignsMax: 6,
  callsInFlightMax: 8_192,
  repliesBytesMax: 32 * 1024 * 1024,
  batchBytes: 256 * 1024,
  messageBytesMax: 8 * 1024 * 1024,
  watchItemsAhead: 16,
  cancelGraceMs: 250,
  connectMs: 2_000,
  reconnectMs: 100,
  reconnectMaxMs: 2_000,
}
