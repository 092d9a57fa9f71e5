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

const refusals: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a directory',
  EACCES: 'permission denied',
  ERR_INVALID_ARG_VALUE: 'its path contains a NUL character',
}

/** Returns why a file that the user named cannot be read, to follow 'cannot be read: '. Not translated. */
export function readRefusal(error: unknown): string {
  return refusals[errorCode(error) ?? ''] ?? errorMessage(error)
}

/** Returns the error that was caught; one with the text of any other value. */
export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
