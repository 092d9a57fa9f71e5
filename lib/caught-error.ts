/** Reads what a `catch` received, which may be anything. */

/** Returns the code of a caught error, such as 'ENOENT'; undefined if it has none. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** Returns the message of a caught error; of another value, its text. */
export function errorMessage(error: unknown): string {
  return asError(error).message
}

/** Returns the error that was caught; one with the text of any other value. */
export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
