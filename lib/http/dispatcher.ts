/** Connections of an HTTP client: through the proxies of HTTP_PROXY, HTTPS_PROXY and NO_PROXY if any is set. */
import { Agent, type Dispatcher, EnvHttpProxyAgent } from 'undici'

interface ConnectionLimits {
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

/** Joins the values of headers that were sent several times. */
export function flatHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  )
}
