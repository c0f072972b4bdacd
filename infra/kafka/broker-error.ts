// What a failed request to Kafka means for who sent it. The client throws errors of many names, some wrapped twice; here each
// becomes one of five kinds, and what a retry may do follows from the kind alone.

export type BrokerErrorKind =
  /** No answer, or one that passes: the request may have been carried out. Connect anew and repeat it. */
  | 'unreachable'
  /** The fetch's offset is not in the partition. */
  | 'out-of-range'
  /** A topic or partition that the broker does not know, now. */
  | 'unknown-topic'
  /** The broker does not follow this producer's numbering any more: go on as a new producer. */
  | 'sequence'
  /** The broker will not do this, also when asked again. */
  | 'refused'

export class BrokerError extends Error {
  readonly code = 'KAFKA_REQUEST_FAILED'
  override readonly name = 'BrokerError'
  readonly kind: BrokerErrorKind

  constructor(kind: BrokerErrorKind, message: string, cause?: unknown) {
    super(message, { cause })
    this.kind = kind
  }
}

const SEQUENCE = new Set([
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'DUPLICATE_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'INVALID_PRODUCER_EPOCH',
  'INVALID_PRODUCER_ID_MAPPING',
])
const REFUSED = new Set([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
  'INVALID_TIMESTAMP',
  'INVALID_REQUIRED_ACKS',
  'INVALID_TOPIC_EXCEPTION',
  'TOPIC_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'POLICY_VIOLATION',
  'UNSUPPORTED_FOR_MESSAGE_FORMAT',
  'UNSUPPORTED_VERSION',
  'SASL_AUTHENTICATION_FAILED',
  'UNSUPPORTED_SASL_MECHANISM',
])

export function brokerError(error: unknown, during: string): BrokerError {
  if (error instanceof BrokerError) return error
  const { type, name, message } = rootOf(error)
  return new BrokerError(kindOf(type, name), `${during}: ${message}`, error)
}

function kindOf(type: string, name: string): BrokerErrorKind {
  if (type === 'OFFSET_OUT_OF_RANGE') return 'out-of-range'
  if (type === 'UNKNOWN_TOPIC_OR_PARTITION') return 'unknown-topic'
  if (SEQUENCE.has(type)) return 'sequence'
  if (REFUSED.has(type) || name === 'KafkaJSSASLAuthenticationError') return 'refused'
  return 'unreachable'
}

type Described = { readonly type: string; readonly name: string; readonly message: string }

/** The client's wrappers hide the broker's answer in `cause`. */
function rootOf(error: unknown): Described {
  let at = error
  for (let depth = 0; depth < 5 && at instanceof Error; depth++) {
    if ('type' in at && typeof at.type === 'string') {
      return { type: at.type, name: at.name, message: `${at.type}, ${at.message}` }
    }
    if (at.name === 'KafkaJSSASLAuthenticationError' || at.cause === undefined) break
    at = at.cause
  }
  return at instanceof Error
    ? { type: '', name: at.name, message: at.message }
    : { type: '', name: '', message: String(at) }
}
