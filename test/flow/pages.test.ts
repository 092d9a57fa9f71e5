import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'
import t from 'tap'
import { LiveDirectory } from '../../lib/pages/live-directory.js'
import { pageText } from '../../lib/pages/page-file.js'
import { startPageServer } from '../../lib/pages/page-server.js'
import { RunPages } from '../../lib/pages/run-pages.js'
import { readRunView } from '../../lib/pages/run-view.js'
import type { RunView } from '../../lib/pages/view.js'
import { startSimulator } from '../../lib/simulator/vllm/index.js'
import { runTiny } from '../support/session.js'

const browsers = [process.env.KUN_CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const executablePath = browsers.find((path) => path !== undefined && existsSync(path))
const skip = executablePath === undefined ? 'no Chromium: apt-get install chromium, or set KUN_CHROMIUM' : false
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Markup in every text that comes from the corpus or the recipe. */
const evil = '</script><script>window.attacked = 1</script><img src=x onerror="window.attacked = 1">{{7*7}}'

function withEvil(view: RunView): RunView {
  const [pair] = view.pairs
  const [reason] = view.rejects
  if (pair === undefined || reason === undefined) throw new Error('the run has pairs and rejects')
  const example = {
    id: evil,
    split: evil,
    shard: evil,
    stage: evil,
    reason: evil,
    detail: evil,
    excerpt: evil,
    raw: evil,
    instruction: evil,
    score: 0.1,
  }
  return {
    ...view,
    name: evil,
    pairs: [{ ...pair, id: evil, split: evil, instruction: evil, output: evil, raw: evil, cells: [[evil, evil]] }],
    rejects: [{ stage: evil, reason: evil, count: 3, examples: [example] }, ...view.rejects],
    stages: view.stages.map((stage, at) => (at === 0 ? { ...stage, reasons: [[evil, 3], ...stage.reasons] } : stage)),
    sources: view.sources.map((source) => ({ ...source, name: evil })),
    recipe: evil,
    faults: [evil],
  }
}

/** What `looksRight` uses of a test. */
interface Checks {
  strictSame(found: unknown, wanted: unknown, message: string): unknown
  equal(found: unknown, wanted: unknown, message: string): unknown
  ok(value: unknown, message: string): unknown
}

interface Watched {
  readonly page: Page
  readonly problems: string[]
}

/** Opens a page, and notes errors and requests to anywhere else. */
async function open(browser: Browser, url: string): Promise<Watched> {
  const context = await browser.newContext({ colorScheme: 'light', locale: 'en-US' })
  const page = await context.newPage()
  const problems: string[] = []
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()))
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('request', (request) => {
    const asked = request.url()
    if (!asked.startsWith('data:') && !asked.startsWith(url.replace(/[^/]*$/, ''))) problems.push(`requests ${asked}`)
  })
  await page.goto(url)
  await page.locator('#recipe').waitFor()
  return { page, problems }
}

/** Every theme, language and width: no finding of axe, nothing wider than the window, no problem. */
async function looksRight(t: Checks, { page, problems }: Watched): Promise<void> {
  for (const [language, theme] of [
    ['EN', 0],
    ['中文', 1],
  ] as const) {
    await page.getByRole('button', { name: language, exact: true }).click()
    for (const dark of [false, true]) {
      await page
        .locator('.switches fieldset')
        .nth(1)
        .getByRole('button')
        .nth(dark ? 2 : 1)
        .click()
      for (const width of [1280, 420]) {
        await page.setViewportSize({ width, height: 900 })
        const name = `${theme === 0 ? 'English' : 'Chinese'}, ${dark ? 'dark' : 'light'}, ${width} px`
        await page.evaluate(axe)
        const found = (await page.evaluate('axe.run(document, { resultTypes: ["violations"] })')) as {
          violations: { id: string; nodes: { html: string; failureSummary: string }[] }[]
        }
        const findings = found.violations.map(
          ({ id, nodes }) => `${id}: ${nodes[0]?.html}\n${nodes[0]?.failureSummary}`,
        )
        t.strictSame(findings, [], `${name}: axe`)
        const wide = await page.evaluate('document.documentElement.scrollWidth')
        t.ok(Number(wide) <= width, `${name}: ${wide} px wide`)
      }
    }
    const lang = await page.evaluate('document.documentElement.lang')
    t.equal(lang, theme === 0 ? 'en' : 'zh-CN', 'the language of the document')
  }
  t.equal(await page.evaluate('window.attacked'), undefined, 'no text was executed')
  t.equal(
    await page.evaluate('document.querySelectorAll("script").length + document.images.length'),
    2,
    'no element was added',
  )
  t.strictSame(problems, [], 'no error, and no request to anywhere else')
}

t.test('report and page of a run in a browser', { skip, timeout: 300_000 }, async (t) => {
  const server = await startSimulator({ preset: 'delay', latencyMs: 1 })
  t.teardown(() => server.close())
  const browser = await chromium.launch({ executablePath: executablePath as string, args: ['--no-sandbox'] })
  t.teardown(() => browser.close())
  const directory = join(t.testdir(), 'run')
  await runTiny({ directory, endpoint: server.url, small: true })
  const view = withEvil(await readRunView(directory))

  await t.test('the report is one file that works offline, in both languages and themes', async (t) => {
    const path = join(directory, 'report.html')
    writeFileSync(path, await pageText({ page: 'report', language: null, view }))
    await looksRight(t, await open(browser, pathToFileURL(path).href))
  })

  await t.test('the page of a run shows texts as text', async (t) => {
    const live = await new LiveDirectory(directory).live()
    const pages = await startPageServer({
      port: 0,
      portOption: '--port',
      page: () => pageText({ page: 'run', language: null, view: null }),
      get: {
        view: async () => view,
        search: async () => ({ pairs: view.pairs, rejects: view.rejects[0]?.examples, read: 1, all: 9, next: 1 }),
      },
      event: { everyMs: 60_000, read: async () => ({ ...live, controls: ['pause', 'drain'] }) },
    })
    t.teardown(() => pages.close())
    const watched = await open(browser, pages.url)
    await watched.page.locator('#search').locator('input').fill('x')
    await watched.page.locator('#search button[type=submit]').click()
    await watched.page.locator('#search .pair').first().waitFor()
    await looksRight(t, watched)
  })

  await t.test('ui: search finds what is in a row, and continues to its end', async (t) => {
    const pages = await RunPages.start({ directory, port: 0, portOption: '--port' })
    t.teardown(() => pages.close())
    pages.attach(new LiveDirectory(directory))
    const { page, problems } = await open(browser, pages.url)
    const [row] = (await readRunView(directory)).pairs
    await page.locator('#search input').fill(row?.instruction ?? 'none')
    await page.keyboard.press('Enter')
    await page.locator('#search .pair-instruction').first().waitFor()
    t.equal(await page.locator('#search .pair-instruction').first().textContent(), row?.instruction)
    t.strictSame(problems, [])
  })
})
