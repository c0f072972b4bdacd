// What is not installed on this machine, and what to install: one line for whoever has to.

export class MissingProgramsError extends Error {
  readonly code = 'missing-programs'

  constructor(missing: readonly string[]) {
    super(`Kafka, Cassandra and Redis cannot run here as processes. Missing: ${missing.join('; ')}`)
    this.name = 'MissingProgramsError'
  }
}
