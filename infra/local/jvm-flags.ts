// Flags of the Java servers' virtual machine.

export type JvmOptions = {
  readonly heapMb: number
  /** Starts in half the time and then runs more slowly: for tests, never for measurements. */
  readonly quickStart: boolean
}

export function jvmFlags({ heapMb, quickStart }: JvmOptions): string[] {
  const heap = [`-Xmx${heapMb}m`, '-Djava.awt.headless=true']
  const quick = [`-Xms${Math.min(heapMb, 256)}m`, '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC']
  const steady = [`-Xms${heapMb}m`, '-XX:+UseParallelGC']
  return [...heap, ...(quickStart ? quick : steady)]
}
