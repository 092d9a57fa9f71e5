/**
 * Preloaded into every process of a test by NODE_OPTIONS: kills the process when it sends a request whose body has the text of
 * KUN_TEST_POISON.
 */
import { subscribe } from 'node:diagnostics_channel'

const poison = process.env.KUN_TEST_POISON ?? ''

subscribe('undici:request:create', (message) => {
  const { body } = (message as { request: { body: unknown } }).request
  const text = typeof body === 'string' ? body : body instanceof Uint8Array ? Buffer.from(body).toString('utf8') : ''
  if (poison !== '' && text.includes(poison)) process.kill(process.pid, 'SIGKILL')
})
