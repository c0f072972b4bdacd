// The servers that the tests of this folder share, as `inject('engines')` hands them over. Each test keeps to a prefix
// of its own; whoever stops or empties a server starts one of its own (infra/local).

export type Engines = {
  readonly kafka: { readonly brokers: string[] }
  readonly cassandra: { readonly contactPoints: string[]; readonly localDataCenter: string }
  readonly redis: { readonly host: string; readonly port: number }
}
export type StartedEngines = {
  readonly engines: Engines
  /** Which servers they are, and how they run. */
  readonly description: string
  readonly stop: () => Promise<void>
}

declare module 'vitest' {
  interface ProvidedContext {
    engines: Engines
  }
}
