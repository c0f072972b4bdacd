// Where this adapter tells what happens to its connections: facts for the process's structured log. The client below writes to
// it too and never to the console.

export type KafkaLog = {
  readonly warn: (fact: string, details: Readonly<Record<string, unknown>>) => void
  readonly debug: (fact: string, details: Readonly<Record<string, unknown>>) => void
}

export const silentLog: KafkaLog = { warn: () => undefined, debug: () => undefined }
