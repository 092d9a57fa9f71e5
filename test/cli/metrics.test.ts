import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { serveMetrics } from '../../lib/cli/metrics-server.js'
import { metricDefinitions } from '../../lib/report/metric-definitions.js'
import type { RunProgress } from '../../lib/report/progress.js'
import { progressExample } from '../support/progress-example.js'
import { projectRoot } from '../support/root.js'

async function scraped(progress: RunProgress): Promise<string> {
  const server = await serveMetrics(0, 'demo', metricDefinitions, () => progress)
  try {
    const response = await fetch(server.url)
    return await response.text()
  } finally {
    await server.close()
  }
}

t.test('every metric follows the naming of Prometheus, and a scrape has a value of each', async (t) => {
  const text = await scraped(progressExample)
  for (const { name, type, help, labels } of metricDefinitions) {
    t.match(name, /^kun_stream_[a-z]+(_[a-z]+)*$/)
    t.equal(name.endsWith('_total'), type === 'counter', `${name} is a ${type}`)
    t.match(help, /^(?:[A-Z]|1 ).*\.$/, name)
    t.match(text, `# TYPE ${name} ${type}\n`)
    t.match(text, new RegExp(`^${name}\\{${labels[0] ?? 'recipe'}="`, 'm'), `${name} has a value`)
  }
  t.match(text, 'kun_stream_rows_total{recipe="demo"} 12345\n')
  t.match(text, 'kun_stream_progress_ratio{recipe="demo"} 0.4213\n')
  t.match(text, 'kun_stream_stage_in_total{stage="label",recipe="demo"} 1234567\n')
  t.match(text, 'kun_stream_bottleneck{stage="servers",recipe="demo"} 1\n')
  t.match(text, /^process_resident_memory_bytes/m)
})

t.test('a figure that is unknown is absent, not 0', async (t) => {
  const estimate = { ...progressExample.estimate, secondsLeft: null, doneShare: null }
  const servers = progressExample.servers.map((server) => ({ ...server, figures: null }))
  const text = await scraped({ ...progressExample, estimate, servers, cuts: null, input: null })
  t.notMatch(text, /^kun_stream_server_running\{/m)
  for (const name of ['remaining_seconds', 'progress_ratio', 'cuts_total', 'input_bytes']) {
    t.notMatch(text, new RegExp(`^kun_stream_${name}[{ ]`, 'm'), name)
  }
})

t.test('a counter is not added up over scrapes', async (t) => {
  const server = await serveMetrics(0, 'demo', metricDefinitions, () => progressExample)
  t.teardown(() => server.close())
  await (await fetch(server.url)).text()
  t.match(await (await fetch(server.url)).text(), 'kun_stream_rows_total{recipe="demo"} 12345\n')
  t.equal((await fetch(new URL('/', server.url))).status, 404)
})

t.test('every metric that the dashboard queries exists', async (t) => {
  const dashboard = readFileSync(join(projectRoot, 'docs/grafana/kun-stream.json'), 'utf8')
  const { panels, schemaVersion } = JSON.parse(dashboard) as { panels: Panel[]; schemaVersion: number }
  t.ok(schemaVersion > 30)
  const text = await scraped(progressExample)
  const expressions = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))
  t.ok(expressions.length > 20)
  for (const expression of expressions) {
    for (const [name] of expression.matchAll(/\b(?:kun_stream|process)_\w+/g)) t.match(text, `# TYPE ${name} `, name)
  }
  for (const { id, gridPos } of panels) t.ok(gridPos.x + gridPos.w <= 24, `panel ${id} fits the grid`)
  t.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
})

t.test('a port in use is one line with the mend', async (t) => {
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  t.teardown(() => other.close())
  const { port } = other.address() as AddressInfo
  await t.rejects(
    serveMetrics(port, 'demo', metricDefinitions, () => progressExample),
    {
      code: 'KUN_USAGE',
      message: `--metrics cannot listen on 127.0.0.1:${port}: the port is in use. Give another port: --metrics=${port + 1}`,
    },
  )
})

interface Panel {
  readonly id: number
  readonly gridPos: { readonly x: number; readonly w: number }
  readonly targets: readonly { readonly expr: string }[]
}
