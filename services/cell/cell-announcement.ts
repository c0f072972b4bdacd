// What a cell's process says of itself in the control store, one document for each cell: where it is, which start it is, and
// until when that can be believed. It is replaced as a whole, by compare-and-set; a greater boot takes the place of a lesser.

import { z } from 'zod'
import type { CellName } from '../../cells/model/placement.ts'

const STATES = ['loading', 'serving', 'refusing', 'draining', 'stopped'] as const

const announcementOf = z.object({
  cell: z.string(),
  /** host:port of its gRPC server. */
  address: z.string(),
  boot: z.int().positive(),
  /** Unix ms, by the clock of the process that announces. */
  leaseEndsAtMs: z.number(),
  leaseMs: z.number(),
  startedAtMs: z.number(),
  state: z.enum(STATES),
  /** One line for people, when it refuses to run. */
  detail: z.string(),
  version: z.string(),
  memoryBytes: z.number(),
  /** How long 99 of 100 reads of the last seconds took at most, and how far it is behind the log. */
  readP99Ms: z.number().default(0),
  lagMs: z.number().default(0),
  /** How far it is before it serves. */
  loading: z
    .object({ step: z.enum(['posts', 'events']), done: z.number(), part: z.number() })
    .optional(),
})
export type CellAnnouncement = Readonly<z.infer<typeof announcementOf>>

export function announcementKey(cell: CellName): string {
  return `cells/${cell}`
}

export function encodeAnnouncement(announcement: CellAnnouncement): Uint8Array {
  return Buffer.from(JSON.stringify(announcement))
}

export function decodeAnnouncement(bytes: Uint8Array): CellAnnouncement {
  return announcementOf.parse(JSON.parse(Buffer.from(bytes).toString()))
}
