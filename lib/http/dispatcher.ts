/** Connections of an HTTP client: through the proxies of HTTP_PROXY, HTTPS_PROXY and NO_PROXY if any is set. */
import { Agent, type Dispatcher, EnvHttpProxyAgent } from 'undici'

export interface ConnectionLimits {
  /** Timeout for a connection, ms. */
  readonly connectMs: number
  /** Connections to one host. */
  readonly connectionsMax: number
}

export function dispatcherFor({ connectMs, connectionsMax }: ConnectionLimits): Dispatcher {
  const proxied = ['http_proxy', 'https_proxy'].some((name) => process.env[name] || process.env[name.toUpperCase()])
  const options = { connect: { timeout: connectMs }, connections: connectionsMax, pipelining: 1 }
  return proxied ? new EnvHttpProxyAgent(options) : new Agent(options)
}
