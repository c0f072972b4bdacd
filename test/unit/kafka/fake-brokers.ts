// Brokers as the appender sees them: they keep records by partition, tell a repeated batch by its producer's numbers, and fail
// as the test says.

import type { Message } from 'kafkajs'
import type { AppenderLink } from '../../../infra/kafka/appender.ts'
import { BrokerError } from '../../../infra/kafka/broker-error.ts'
import type { ProduceBatch, Produced, Producer } from '../../../infra/kafka/broker-link.ts'
import type { TopicPartition } from '../../../infra/kafka/log-partitions.ts'

type Stored = { readonly messages: Message[]; readonly numbering: Map<number, Numbering> }
type Numbering = { next: number; last: { firstSequence: number; count: number; offset: number } }

/** What happens to one produce request, before or after it is carried out. */
export type Fate =
  | 'fine'
  | 'answer lost'
  | 'lost on the way'
  | 'never answered'
  | 'one partition left out'
  | BrokerError

export class FakeBrokers {
  readonly requests: (readonly ProduceBatch[])[] = []
  connections = 0
  producers = 0
  isDown = false
  appendTimeMs = 1_000
  /** Fates of the next requests; after these all are fine. */
  readonly fates: Fate[] = []
  /** Refuses every batch that holds this value. */
  refusedValue: string | undefined
  readonly #logs = new Map<string, Stored>()

  readonly open = async (): Promise<AppenderLink> => {
    if (this.isDown) throw new BrokerError('unreachable', 'connection refused')
    this.connections++
    return {
      leaderOf: ({ partition }) => partition % 2,
      newProducer: async () => ({ producerId: ++this.producers, epoch: 0 }),
      produce: (_leader, producer, batches, onSent) => this.#produce(producer, batches, onSent),
      close: async () => undefined,
    }
  }

  values(at: TopicPartition): string[] {
    return this.#log(at).messages.map(({ value }) => String(value))
  }

  /** Forgets all producers, as after their expiry. */
  forgetProducers(): void {
    for (const { numbering } of this.#logs.values()) numbering.clear()
  }

  async #produce(
    producer: Producer,
    batches: readonly ProduceBatch[],
    onSent: () => void,
  ): Promise<Produced[]> {
    onSent()
    this.requests.push(batches)
    const fate = this.fates.shift() ?? 'fine'
    if (fate instanceof BrokerError) throw fate
    if (fate === 'lost on the way') throw new BrokerError('unreachable', 'closed')
    if (
      batches.some((batch) => batch.messages.some((m) => String(m.value) === this.refusedValue))
    ) {
      throw new BrokerError('refused', 'MESSAGE_TOO_LARGE')
    }
    const carriedOut = fate === 'one partition left out' ? batches.slice(1) : batches
    const produced = carriedOut.map((batch) => this.#store(producer, batch))
    if (fate === 'never answered') return new Promise(() => undefined)
    if (fate === 'answer lost') throw new BrokerError('unreachable', 'closed')
    return produced
  }

  #store({ producerId }: Producer, batch: ProduceBatch): Produced {
    const { topic, partition, firstSequence } = batch
    const { messages, numbering } = this.#log(batch)
    const known = numbering.get(producerId)
    const at = { topic, partition, appendedAtMs: this.appendTimeMs }
    if (known?.last.firstSequence === firstSequence) return { ...at, offset: known.last.offset }
    if (firstSequence !== (known?.next ?? 0)) {
      throw new BrokerError('sequence', 'OUT_OF_ORDER_SEQUENCE_NUMBER')
    }
    const offset = messages.length
    messages.push(...batch.messages)
    const count = batch.messages.length
    const last = { firstSequence, count, offset }
    numbering.set(producerId, { next: firstSequence + count, last })
    return { ...at, offset }
  }

  #log({ topic, partition }: TopicPartition): Stored {
    const key = `${topic} ${partition}`
    const log = this.#logs.get(key) ?? { messages: [], numbering: new Map<number, Numbering>() }
    this.#logs.set(key, log)
    return log
  }
}
