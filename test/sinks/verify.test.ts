import { createHash } from 'node:crypto'
import { appendFileSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { Command } from 'commander'
import { parquetWriteBuffer } from 'hyparquet-writer'
import stringWidth from 'string-width'
import t from 'tap'
import { registerInspect } from '../../lib/cli/commands/inspect.js'
import { registerVerify, verificationText } from '../../lib/cli/commands/verify.js'
import { inspectInThread } from '../../lib/cli/inspect-thread.js'
import { inspectText } from '../../lib/cli/terminal/inspect-text.js'
import { printable, truncateText, wrapText } from '../../lib/cli/terminal/wrap-text.js'
import { UsageError } from '../../lib/errors.js'
import { RowFiguresCounter } from '../../lib/kun/row-figures.js'
import type { Column } from '../../lib/parquet/columns.js'
import { parquetEncoder } from '../../lib/parquet/encoders/index.js'
import { checkCounters } from '../../lib/run/verify.js'
import { openCutWriter, openRunDirectory, verifyRun } from '../../lib/sinks/index.js'
import { formatLine } from '../../lib/sinks/manifest.js'
import { nodeFiles } from '../../lib/storage/files.js'

const columns: Column[] = [
  { name: 'instruction', type: 'string' },
  { name: 'output', type: 'string' },
  { name: 'id', type: 'string' },
  { name: 'shard', type: 'string' },
  { name: 'offset', type: 'int64' },
  { name: 'score', type: 'float64', nullable: true },
]
const text = '春天来了，花园里的花都开了。'

interface Change {
  /** Row 2 of cut 0. */
  readonly row?: object
  readonly counters?: (rows: number) => unknown
}

/** Two cuts of three rows and one reject. */
async function makeRun(directory: string, { row = {}, counters }: Change = {}): Promise<void> {
  const run = await openRunDirectory({ directory, record: { pinned: {}, free: {} } })
  const encoder = await parquetEncoder()
  const from = run.last
  const writer = await openCutWriter({ files: nodeFiles, directory, columns, splits: ['wudao'], encoder, from })
  for (let cut = 0; cut < 2; cut++) {
    for (let i = 0; i < 3; i++) {
      const id = `${cut}${i}`.padStart(32, '0')
      const base = {
        instruction: '写一段话',
        output: text.repeat(20),
        id,
        shard: `s${i % 2}`,
        offset: cut * 10 + i,
        score: 0.8125,
      }
      await writer.row('wudao', { ...base, ...(cut === 0 && i === 2 ? row : {}) })
    }
    const where = { id: 'r', split: 'wudao', shard: 's0', offset: cut, chunk: -1, variant: -1, key: '' }
    await writer.reject({
      ...where,
      stage: 'filter',
      reason: 'too-short',
      detail: '3 of 50',
      excerpt: `${text}\n\u001b[31m`,
    })
    const rows = 3 * (cut + 1)
    const own = {
      documents: rows + cut + 1,
      documentsChunked: rows,
      documentRejects: { filter: { 'too-short': cut + 1 } },
      chunks: rows,
      candidates: rows,
      chunkRejects: {},
      attempts: rows,
      rows,
      attemptRejects: {},
      figures: new RowFiguresCounter().figures(),
      stages: {},
    }
    const counted = (counters?.(rows) ?? { wudao: own }) as Record<string, unknown>
    await writer.commit({ blocks: cut + 1, cursor: null, dedupLogBytes: 0, counters: counted })
  }
  await run.close()
}

async function findings(directory: string): Promise<string[]> {
  const { findings } = await verifyRun(directory, { checkCounters })
  return findings.map(({ severity, file, what }) => `${severity} ${file}: ${what}`)
}

t.test('an undamaged run has no findings, and its rows are counted', async (t) => {
  const directory = t.testdir()
  await makeRun(directory)
  const verification = await verifyRun(directory, { checkCounters })
  t.match(verification, { findings: [], cuts: 2, files: 4, rows: { wudao: 6 }, rejects: { wudao: 2 } })
  t.match(
    stripVTControlCharacters(verificationText(verification)),
    /The dataset is intact: 2 cuts, 4 files, .* 6 rows, 2 rejects\./,
  )
})

t.test('each kind of damage is found, named and has a repair', async (t) => {
  const part = 'data/wudao-000000-000.parquet'
  const damages: [(directory: string) => void, RegExp][] = [
    [(directory) => rmSync(join(directory, part)), /^error data\/wudao-000000-000\.parquet: it is missing/],
    [(directory) => truncateSync(join(directory, part), 100), /it has 100 bytes, but \d+ were committed/],
    [
      (directory) => {
        const bytes = readFileSync(join(directory, part))
        bytes[50] = (bytes[50] as number) ^ 1
        writeFileSync(join(directory, part), bytes)
      },
      /its sha256 differs/,
    ],
    [
      (directory) => writeFileSync(join(directory, 'data', 'wudao-000002-000.parquet'), ''),
      /^warning .*no manifest line names it/,
    ],
    [
      (directory) => {
        const path = join(directory, 'manifest.jsonl')
        truncateSync(path, 0)
      },
      /^error manifest\.jsonl: .*has 0 lines, but .* belongs to a later cut: lines at its end were lost/,
    ],
    [
      (directory) => writeFileSync(join(directory, 'rejects', '000002-000.parquet.writing'), ''),
      /^warning .*no manifest line/,
    ],
    [
      (directory) => writeFileSync(join(directory, 'data', 'notes.txt'), ''),
      /^warning data\/notes\.txt: it does not belong to this run/,
    ],
    [
      (directory) => writeFileSync(join(directory, 'run.json.writing'), ''),
      /^warning run\.json\.writing: it was not written to its end/,
    ],
    [
      (directory) => writeFileSync(join(directory, 'lock.json'), ''),
      /^warning lock\.json: a run is in progress, or was killed/,
    ],
    [(directory) => rmSync(join(directory, 'run.json')), /^error run\.json: it is missing/],
    [
      (directory) => writeFileSync(join(directory, 'run.json'), '{'),
      /^error run\.json: .* is damaged: it is not valid JSON/,
    ],
    [
      (directory) => appendFileSync(join(directory, 'manifest.jsonl'), '{"cut":2'),
      /^warning manifest\.jsonl: its last 8 bytes/,
    ],
    [
      (directory) => {
        const path = join(directory, 'manifest.jsonl')
        writeFileSync(path, readFileSync(path, 'utf8').replace('"blocks":1', '"blocks":9'))
      },
      /^error manifest\.jsonl: .*line 1: its checksum does not match/,
    ],
  ]
  for (const [damage, expected] of damages) {
    const directory = t.testdir()
    await makeRun(directory)
    damage(directory)
    const { findings } = await verifyRun(directory, { checkCounters })
    const texts = findings.map(({ severity, file, what }) => `${severity} ${file}: ${what}`)
    t.ok(
      texts.some((text) => expected.test(text)),
      `${expected}: ${texts[0]}`,
    )
    t.ok(findings.every(({ repair }) => repair.length > 10))
  }
  t.match((await verifyRun(t.testdir())).findings[0], { file: 'run.json', severity: 'error' })
})

t.test('a manifest rewritten with its checksum does not hide other rows or decreasing numbers', async (t) => {
  const directory = t.testdir()
  await makeRun(directory)
  const path = join(directory, 'manifest.jsonl')
  const [first, second] = readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line.replace(/,"crc32":"\w+"\}$/, '}')))
  second.files[0].rows = 4
  second.blocks = 0
  writeFileSync(path, formatLine(first) + formatLine(second))
  const found = await findings(directory)
  t.match(found[0], /cut 1: blocks went back from 1 to 0/)
  t.match(found[1], /wudao-000001-000\.parquet: it has 3 rows, but 4 were committed/)
})

t.test('a Parquet file that cannot be decoded is reported even if its checksum matches', async (t) => {
  const directory = t.testdir()
  await makeRun(directory)
  const path = join(directory, 'manifest.jsonl')
  const [first, second] = readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line.replace(/,"crc32":"\w+"\}$/, '}')))
  const part = join(directory, first.files[0].path)
  const whole = readFileSync(part)
  const damaged: [string, (bytes: Buffer) => void][] = [
    ['magic', (bytes) => bytes.fill(0, bytes.length - 4)],
    ['footer length', (bytes) => bytes.writeUInt32LE(0x7fffffff, bytes.length - 8)],
    ['first page', (bytes) => bytes.fill(0xff, 4, 60)],
  ]
  for (const [name, damage] of damaged) {
    const bytes = Buffer.from(whole)
    damage(bytes)
    writeFileSync(part, bytes)
    first.files[0].sha256 = createHash('sha256').update(bytes).digest('hex')
    writeFileSync(path, formatLine(first) + formatLine(second))
    t.match((await findings(directory))[0], /^error data\/.*cannot be read as Parquet/, name)
  }
})

t.test('ids that occur twice and rows out of order are found', async (t) => {
  const twice = t.testdir()
  await makeRun(twice, { row: { id: '10'.padStart(32, '0') } })
  t.match(await findings(twice), [
    /000001-000\.parquet: id 0+10 occurs again, first in data\/wudao-000000-000\.parquet/,
  ])
  const back = t.testdir()
  await makeRun(back, { row: { offset: 99 } })
  t.match(await findings(back), [
    /wudao-000001-000\.parquet: it is out of order: shard s0 goes back from offset 99 to 10/,
  ])
})

t.test('counters that do not match the parts are found', async (t) => {
  const directory = t.testdir()
  const figures = new RowFiguresCounter().figures()
  const zero = { documents: 0, documentsChunked: 0, documentRejects: {}, chunks: 0, candidates: 0, chunkRejects: {} }
  await makeRun(directory, {
    counters: (rows) => ({
      wudao: { ...zero, documents: rows, attempts: 5, rows: 5, attemptRejects: {}, stages: {}, figures },
    }),
  })
  const found = (await findings(directory)).join('\n')
  t.match(found, /wudao: documents = chunked \+ rejected: 6 is not 0/)
  t.match(found, /wudao: found 6 rows, but 5 were counted/)
  t.match(found, /wudao: found 2 rejects, but 0 were counted/)
})

async function run(register: (program: Command) => void, args: string[]): Promise<{ out: string; code: unknown }> {
  const written: string[] = []
  const write = process.stdout.write
  process.exitCode = undefined
  process.stdout.write = ((chunk: string | Buffer) => written.push(String(chunk)) > 0) as typeof process.stdout.write
  try {
    const program = new Command().exitOverride()
    register(program)
    await program.parseAsync(['node', 'kun-stream', ...args])
    return { out: stripVTControlCharacters(written.join('')), code: process.exitCode }
  } finally {
    process.stdout.write = write
    process.exitCode = undefined
  }
}

t.test('verify prints findings and exits 1 on an error, 0 on a warning', async (t) => {
  const directory = t.testdir()
  await makeRun(directory)
  writeFileSync(join(directory, 'data', 'notes.txt'), '')
  const warned = await run(registerVerify, ['verify', directory])
  t.match(warned.out, /warning data\/notes\.txt: .*\n {2}repair: move it elsewhere/)
  t.equal(warned.code, undefined)
  rmSync(join(directory, 'rejects', '000000-000.parquet'))
  const failed = await run(registerVerify, ['verify', '--json', directory])
  t.equal(JSON.parse(failed.out).findings[0].file, 'rejects/000000-000.parquet')
  t.equal(failed.code, 1)
})

t.test('inspect stops on a file that its decoder would follow without end', async (t) => {
  const data = Array.from({ length: 40 }, (_, index) => `第${index % 7}段`)
  const bytes = Buffer.from(
    parquetWriteBuffer({ columnData: [{ name: 'text', data, type: 'STRING' }], rowGroupSize: 20 }),
  )
  t.equal(bytes[82], 4, 'the file is laid out as when the place was found')
  bytes[82] = 0xc5
  const file = join(t.testdir(), 'a.parquet')
  writeFileSync(file, bytes)
  const damaged = { code: 'KUN_CORRUPT_FILE', message: /could not be decoded in 0\.7 s: it is damaged/ } as never
  await t.rejects(inspectInThread(file, { number: 1 }, 700).next(), damaged)
})

t.test('inspect shows rows within 80 cells, rejects, and JSON for programs', async (t) => {
  const directory = t.testdir()
  await makeRun(directory)
  const pieces: string[] = []
  for await (const piece of inspectText(directory, { number: 2 }, 80)) pieces.push(stripVTControlCharacters(piece))
  const lines = pieces.join('\n').split('\n')
  t.match(lines[0], /^── wudao · row 1 ─+$/)
  t.match(lines[1], /^instruction {5}写一段话$/)
  t.match(pieces.join('\n'), /… \d+ more lines|shard s0 · offset 0 · score 0\.8125/)
  t.equal(lines.at(-1), 'wudao: 2 of 6 rows shown, 2 files')
  t.equal(Math.max(...lines.map((line) => stringWidth(line))), 80, 'as wide as the terminal, no wider')

  const json = await run(registerInspect, ['inspect', directory, '-n', '4', '--json'])
  const rows = json.out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  t.same(
    rows.map(({ offset }) => offset),
    [0, 1, 2, 10],
  )
  const rejects = await run(registerInspect, ['inspect', directory, '--rejects'])
  t.match(rejects.out, /^filter\/too-short {2}wudao s0@0\n {2}3 of 50\n {2}春天来了，花园里的花都开了。 \ufffd\[31m\n/)
  const file = await run(registerInspect, [
    'inspect',
    join(directory, 'data', 'wudao-000001-000.parquet'),
    '-n',
    '1',
    '--json',
  ])
  t.equal(JSON.parse(file.out).offset, 10)
  rmSync(join(directory, 'manifest.jsonl'))
  t.match(
    (await run(registerInspect, ['inspect', directory])).out,
    /wudao: 3 of 6 rows shown, 2 files/,
    'a folder without a manifest',
  )
  await t.rejects(run(registerInspect, ['inspect', join(directory, 'none')]), UsageError)
  await t.rejects(run(registerInspect, ['inspect', t.testdir({ empty: {} })]), UsageError)
})

t.test('widths are in cells: 2 for Chinese, 0 for marks, 2 for an emoji family', async (t) => {
  t.same(
    ['abc', '中文', '，。', 'é', 'e\u0301', '👨‍👩‍👧', 'ｱ', 'Ａ', '…', ''].map((text) => stringWidth(text)),
    [3, 4, 4, 1, 1, 2, 1, 2, 1, 0],
  )
  t.equal(truncateText('中文字', 5), '中文…')
  t.equal(truncateText('中文', 4), '中文')
  t.same(wrapText('中文字abc\n\nx', 4), ['中文', '字ab', 'c', '', 'x'])
  t.same(wrapText('one two three', 8), ['one two', 'three'])
  t.same(wrapText('一 二三四五', 8), ['一 二三', '四五'], 'a space does not end a line of Chinese early')
  t.same(wrapText('一二三四，五', 8), ['一二三', '四，五'], 'no line begins with a comma')
  t.same(wrapText('，，，，，', 4), ['，，', '，，', '，'])
  t.equal(printable('a\u001b[2J\tb\u202e\r\nc'), 'a\ufffd[2J  b\ufffd\nc')
})
