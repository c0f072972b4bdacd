// Why a data folder cannot be used. The message is one line for people and says what to do.

export type DataFolderProblem =
  | 'IN_USE'
  | 'NOT_WRITABLE'
  | 'NEWER_FORMAT'
  | 'LOST_WRITES'
  | 'NOT_WHOLE'

export class DataFolderError extends Error {
  override readonly name = 'DataFolderError'
  readonly code: DataFolderProblem

  constructor(code: DataFolderProblem, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
