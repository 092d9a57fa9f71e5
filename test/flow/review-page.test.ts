import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import t from 'tap'
import { ReviewPages } from '../../lib/pages/review-pages.js'
import { verifyDirectory } from '../../lib/run/verify.js'
import { startSimulator } from '../../lib/simulator/vllm/index.js'
import { bytesOf, runTiny } from '../support/session.js'

const browsers = [process.env.KUN_CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const executablePath = browsers.find((path) => path !== undefined && existsSync(path))
const skip = executablePath === undefined ? 'no Chromium: apt-get install chromium, or set KUN_CHROMIUM' : false
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
/** Where the pictures go, for a look at the page. */
const pictures = process.env.KUN_PICTURES

t.test('pairs are judged with single keys, and every decision is on disk', { skip, timeout: 300_000 }, async (t) => {
  const model = await startSimulator({ preset: 'delay', latencyMs: 1 })
  t.teardown(() => model.close())
  const directory = join(t.testdir(), 'run')
  await runTiny({ directory, endpoint: model.url, small: true })
  const before = bytesOf(directory)
  const pages = await ReviewPages.start({ directory, reviewer: 'li', count: 5, seed: 7, port: 0 })
  t.teardown(() => pages.close())
  const browser = await chromium.launch({ executablePath: executablePath as string, args: ['--no-sandbox'] })
  t.teardown(() => browser.close())
  const page = await browser.newPage({ colorScheme: 'light', locale: 'en-US' })
  const problems: string[] = []
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()))
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('request', (request) => request.url().startsWith(pages.url) || problems.push(`requests ${request.url()}`))
  const position = (n: number, saved: number): Promise<void> =>
    page
      .getByText(`${n} of 5`, { exact: true })
      .waitFor()
      .then(() => page.getByText(`${saved} judged, all saved`).waitFor())
  const lines = (): { id: string; verdict: string | null; instruction?: string; output?: string }[] =>
    readFileSync(join(directory, 'reviews/li.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))

  await page.goto(pages.url)
  await position(1, 0)
  t.notOk(existsSync(join(directory, 'reviews')), 'looking writes nothing')
  await page.keyboard.press('g')
  await position(2, 1)
  await page.keyboard.press('b')
  await position(3, 2)
  await page.keyboard.press('u')
  await position(2, 1)
  t.strictSame(
    lines().map(({ verdict }) => verdict),
    ['good', 'bad', null],
  )
  await page.keyboard.press('b')
  await position(3, 2)
  await page.keyboard.press('e')
  await page.locator('#edit-instruction').fill('gbu 是什么？')
  await page.keyboard.press('Control+Enter')
  await position(4, 3)
  t.match(lines().at(-1), { verdict: 'edit', instruction: 'gbu 是什么？', output: /./ }, 'a letter in a text is no key')
  await page.keyboard.press('ArrowLeft')
  await position(3, 3)
  t.equal(await page.locator('.review-instruction').textContent(), 'gbu 是什么？')
  await page.keyboard.press('k')
  await page.keyboard.press('j')
  await page.keyboard.press('j')
  await position(4, 3)
  await page.keyboard.press('?')
  await page.getByText('Take the last decision back.').waitFor()

  await page.reload()
  await position(3 + 1, 3)
  await page.locator('.review-plot svg').waitFor()
  for (const [language, dark] of [
    ['EN', 1],
    ['中文', 2],
  ] as const) {
    await page.getByRole('button', { name: language, exact: true }).click()
    await page.locator('.switches fieldset').nth(1).getByRole('button').nth(dark).click()
    for (const width of [1280, 420]) {
      await page.setViewportSize({ width, height: 900 })
      await page.evaluate(axe)
      const found = (await page.evaluate('axe.run(document, { resultTypes: ["violations"] })')) as {
        violations: { id: string; nodes: { html: string; failureSummary: string }[] }[]
      }
      const name = `${language}, ${width} px`
      t.strictSame(
        found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}\n${nodes[0]?.failureSummary}`),
        [],
        `${name}: axe`,
      )
      const wide = Number(await page.evaluate('document.documentElement.scrollWidth'))
      t.ok(wide <= width, `${name}: ${wide} px wide`)
      if (pictures === undefined) continue
      mkdirSync(pictures, { recursive: true })
      await page.screenshot({ path: join(pictures, `review-${dark === 1 ? 'en' : 'zh'}-${width}.png`) })
      const path = join(pictures, `review-${dark === 1 ? 'en' : 'zh'}-${width}-full.png`)
      await page.screenshot({ path, fullPage: true })
    }
  }
  t.strictSame(problems, [], 'no error, and no request to anywhere else')
  t.match(await pages.summary(), { score: { good: 1, bad: 1, edit: 1 } })

  const foreign = await fetch(`${pages.url}save`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ id: 'another', verdict: 'good' }),
  })
  t.equal(foreign.status, 400, 'a pair outside of the sample is refused')
  t.equal(lines().length, 5)
  t.strictSame(bytesOf(directory), before, 'the dataset has the same bytes')
  t.strictSame((await verifyDirectory(directory)).findings, [], 'verify has no finding')
})
