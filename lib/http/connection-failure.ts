/** Errors of a connection, of undici or Node: the request may succeed on another one. */
import { errorCode } from '../caught-error.js'

/** Whether the error, of undici or Node, means that a connection failed, broke or timed out. */
export function isConnectionFailure(error: unknown): boolean {
  const code = errorCode(error)
  if (error instanceof AggregateError) return error.errors.every(isConnectionFailure)
  return code !== undefined && connectionFailures.has(code)
}

const connectionFailures: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'ENOTFOUND',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'ENETDOWN',
  'UND_ERR_SOCKET',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'HPE_INVALID_EOF_STATE',
  'ERR_STREAM_PREMATURE_CLOSE',
])
