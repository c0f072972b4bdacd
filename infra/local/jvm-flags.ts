// Flags of the Java servers' virtual machine.

export type JvmOptions = {
  readonly heapMb: number
  /** Starts in half the time and then runs more slowly: for tests, never for measurements. */
  readonly quickStart: boolean
}

export function jvmFlags({ heapMb, quickStart }: JvmOptions): string[] {
  const heap = [`-Xms${Math.min(heapMb, 256)}m`, `-Xmx${heapMb}m`, '-Djava.awt.headless=true']
  const quick = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC']
  return [...heap, ...(quickStart ? quick : ['-XX:+UseG1GC'])]
}
