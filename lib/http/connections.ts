/** Connections of an HTTP client, for its first request: undici is slow to load, and many clients never send one. */
import type { Dispatcher } from 'undici'
import type { ConnectionLimits } from './dispatcher.js'

export interface Connections {
  readonly undiciRequest: typeof import('undici').request
  readonly dispatcher: Dispatcher
}

export async function openConnections(limits: ConnectionLimits): Promise<Connections> {
  const [{ request: undiciRequest }, { dispatcherFor }] = await Promise.all([
    import('../core/undici.js'),
    import('./dispatcher.js'),
  ])
  return { undiciRequest, dispatcher: dispatcherFor(limits) }
}
