import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { zh } from '../../lib/language/zh/index.js'
import { pageText } from '../../lib/pages/page-file.js'
import { writeReport } from '../../lib/pages/report-file.js'
import { readRunView } from '../../lib/pages/run-view.js'
import type { PageData } from '../../lib/pages/view.js'
import { rejectReasons } from '../../lib/reject-reasons.js'

/** The data that the script of a page would read. */
function dataOf(page: string): PageData {
  const found = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(page)?.[1] ?? ''
  return JSON.parse(found) as PageData
}

t.test('a page holds its data as text, whatever it contains', async (t) => {
  const view = { ...(await readRunView(t.testdir())), name: '</script><script>alert(1)</script><!-- $& -->' }
  const page = await pageText({ page: 'report', language: 'zh', view })
  t.strictSame(dataOf(page).view?.name, view.name)
  t.equal(page.split('<script').length, 3, 'the data and the program, and no third script')
  t.match(page, /Content-Security-Policy" content="default-src 'none'; script-src 'sha256-/)
  t.notMatch(page, /(?:src|href)="(?!data:)/, 'no file and no address is loaded')
})

t.test('the meaning of each reject reason has its Chinese text', async (t) => {
  const missing = Object.values(rejectReasons).filter(({ means }) => !Object.hasOwn(zh, means))
  t.strictSame(
    missing.map(({ means }) => means),
    [],
    'add it to lib/language/zh/reasons.ts',
  )
})

t.test('a directory without a commit has a report that says so', async (t) => {
  const directory = join(t.testdir(), 'run')
  mkdirSync(directory)
  const path = await writeReport(directory)
  t.equal(path, join(directory, 'report.html'))
  const { view, page } = dataOf(readFileSync(path, 'utf8'))
  t.equal(page, 'report')
  t.match(view, { name: 'run', state: { kind: 'new' }, stages: [], pairs: [], rejects: [], recipe: '' })
})
