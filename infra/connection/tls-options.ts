// TLS of a connection to an outside system, as every adapter takes it. PEM texts, already read from their files.

export type TlsOptions = {
  /** Whom to trust; the system's authorities when undefined. */
  readonly ca: string | undefined
  /** Shown to the server, both or none. */
  readonly certificate: string | undefined
  readonly key: string | undefined
}
