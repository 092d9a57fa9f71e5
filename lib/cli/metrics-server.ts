/** `--metrics`: serves metrics to Prometheus, on this machine only. */
import { createServer, type Server } from 'node:http'
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import { version } from '../core/version.js'
import { UsageError } from '../errors.js'
import { say } from '../language/say.js'
import { portOf } from '../listen.js'
import type { MetricDefinition } from '../report/metric-definitions.js'

const host = '127.0.0.1'

export interface MetricsServer {
  /** Of its `/metrics`. */
  readonly url: string
  close(): Promise<void>
}

/**
 * Serves `/metrics` until it is closed.
 *
 * @param read returns what the definitions read, null before the run is open; called once for each request
 * @throws {UsageError} the port cannot be used
 */
export async function serveMetrics<Progress>(
  port: number,
  name: string,
  definitions: readonly MetricDefinition<Progress>[],
  read: () => Progress | null | Promise<Progress | null>,
): Promise<MetricsServer> {
  const registry = registryOf(name, definitions, read)
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url?.split('?')[0] !== '/metrics') {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('not found: GET /metrics\n')
      return
    }
    registry.metrics().then(
      (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
      (error: Error) => response.writeHead(500, { 'content-type': 'text/plain' }).end(`${error.message}\n`),
    )
  })
  await listen(server, port)
  // A run ends without waiting for a scraper.
  server.unref()
  return {
    url: `http://${host}:${portOf(server)}/metrics`,
    close: async () => {
      registry.clear()
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

function registryOf<Progress>(
  name: string,
  definitions: readonly MetricDefinition<Progress>[],
  read: () => Progress | null | Promise<Progress | null>,
): Registry {
  const registry = new Registry()
  registry.setDefaultLabels({ recipe: name })
  collectDefaultMetrics({ register: registry })
  new Gauge({
    name: 'kun_stream_info',
    help: 'Version of kun-stream; the value is 1.',
    labelNames: ['version'],
    registers: [registry],
  }).set({ version }, 1)
  // All metrics of one request show one moment.
  let progress: Promise<Progress | null> | null = null
  const current = (): Promise<Progress | null> => {
    if (progress === null) {
      progress = (async () => read())()
      const forget = (): void => {
        progress = null
      }
      progress.then(() => setImmediate(forget), forget)
    }
    return progress
  }
  for (const definition of definitions) register(registry, definition, current)
  return registry
}

function register<Progress>(
  registry: Registry,
  definition: MetricDefinition<Progress>,
  read: () => Promise<Progress | null>,
): void {
  const { name, help, labels, type, values } = definition
  const options = { name, help, labelNames: [...labels], registers: [registry] }
  async function collect(this: Counter | Gauge): Promise<void> {
    const progress = await read()
    this.reset()
    const all = progress === null ? [] : values(progress)
    // Reset leaves 0 for a metric without labels: one without a value must be absent.
    if (all.length === 0 && labels.length === 0) this.remove()
    // From 0, an increment sets the value.
    for (const { labels: own = {}, value } of all) this.inc(own, value)
  }
  if (type === 'counter') new Counter({ ...options, collect })
  else new Gauge({ ...options, collect })
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'EADDRINUSE' ? say`the port is in use` : cause.message
      reject(
        new UsageError(
          say`--metrics cannot listen on ${host}:${port}: ${why}. Give another port: --metrics=${port + 1}`,
          { cause },
        ),
      )
    })
    server.listen(port, host, resolve)
  })
}
