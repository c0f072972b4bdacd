// Boot numbers: each start of a cell gets one, unique in the cluster and growing, so that rows which an earlier start of
// the cell wrote never win over this one's.

import type { ControlStore } from '../../cells/ports/control-store.ts'

const BOOT_KEY = 'boot'
const TRIES_MAX = 100

export async function nextBoot(control: ControlStore): Promise<number> {
  for (let tried = 0; tried < TRIES_MAX; tried++) {
    const entry = await control.get(BOOT_KEY)
    const boot = (entry === undefined ? 0 : numberOf(entry.value)) + 1
    const taken = await control.compareAndSet(BOOT_KEY, entry?.revision ?? 0, bytesOf(boot))
    if (taken !== undefined) return boot
  }
  throw new Error(`no boot number after ${TRIES_MAX} tries: others change it all the time`)
}

function bytesOf(boot: number): Uint8Array {
  return Buffer.from(String(boot))
}

function numberOf(value: Uint8Array): number {
  const boot = Number(Buffer.from(value).toString())
  if (!Number.isSafeInteger(boot) || boot < 0) throw new Error('the boot number is not readable')
  return boot
}
