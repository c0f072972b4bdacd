// What a checker found: a promise that was not kept, with what the history knows about it.

export type FindingKind =
  | 'missing'
  | 'twice'
  | 'out-of-order'
  | 'must-not-be-shown'
  | 'never-written'
  | 'wrong-text'
  | 'wrong-origin'
  | 'wrong-read-mark'
  | 'went-back'
  | 'came-back'
  | 'not-the-same-again'
  | 'not-in-log'
  | 'refused-but-in-log'
  | 'log-out-of-order'

export type Finding = { readonly kind: FindingKind; readonly text: string }
