// A read that failed is asked once more, of another host. A class, because the driver takes policies as heirs of its own.

import cassandra from 'cassandra-driver'

const { RetryPolicy } = cassandra.policies.retry

type Info = cassandra.policies.retry.OperationInfo
type Consistency = cassandra.types.consistencies

class RetryReadOnce extends RetryPolicy {
  override onReadTimeout(info: Info, consistency: Consistency) {
    return this.#onceMore(info, consistency)
  }

  override onUnavailable(info: Info, consistency: Consistency) {
    return this.#onceMore(info, consistency)
  }

  override onRequestError(info: Info, consistency: Consistency) {
    return this.#onceMore(info, consistency)
  }

  #onceMore(info: Info, consistency: Consistency) {
    return info.nbRetry > 0 ? this.rethrowResult() : this.retryResult(consistency, false)
  }
}

export const retryReadOnce = new RetryReadOnce()
