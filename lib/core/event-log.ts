/** Interface of the structured log: one entry for each decision that changes what is sent or written. */

export type EventFields = Readonly<Record<string, unknown>>

/** Receives entries; must not throw and must not block. */
export interface EventLog {
  /** @param event a stable name, such as 'cut-committed' */
  debug(event: string, fields?: EventFields): void
  info(event: string, fields?: EventFields): void
  warn(event: string, fields?: EventFields): void
  error(event: string, fields?: EventFields): void
}

/** Discards every entry. */
export const noLog: EventLog = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}
