/**
 * Golden runs: whole runs over a small made-up corpus with recorded replies (fixtures/golden/), compared with stored rows
 * and rejects. KUN_UPDATE_GOLDEN=1 writes the expected files again; review the difference before it is committed.
 *
 * A record whose id begins with a reason must be rejected for it, and one whose id begins with `row` must become a row:
 * an update of the expected files does not change that.
 */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import {
  labelChatRubric,
  pairAnswersRubric,
  pairFollowsRubric,
  polishRubric,
  scoreRubric,
  screenRubric,
} from '../../lib/kun/templates.js'
import { openPart, rowsOf } from '../../lib/parquet/part-reader.js'
import { parseRecipe } from '../../lib/recipe/index.js'
import { settingsOf } from '../../lib/recipe/run-settings.js'
import { type RejectReasonName, rejectReasons } from '../../lib/reject-reasons.js'
import { startKunRun } from '../../lib/run/run.js'
import { verifyDirectory } from '../../lib/run/verify.js'
import { projectRoot } from '../support/root.js'
import {
  type GoldenDocument,
  type GoldenForm,
  type GoldenServer,
  goldenServer,
  type RecordedReplies,
} from '../support/servers/golden.js'
import { bytesOf } from '../support/session.js'

const folder = join(projectRoot, 'fixtures/golden')
const keyVariable = 'KUN_GOLDEN_KEY'
const key = 'golden-secret-key-0001'

const ofShards = 'the only shard of a run is a whole JSON Lines file: test/fault/broken-shards.test.ts, test/sources'

/** Reasons that neither run reaches, with why, and with the tests that do. */
const unreached: Partial<Record<RejectReasonName, string>> = {
  'shard-missing': ofShards,
  'shard-unreadable': ofShards,
  'shard-empty': ofShards,
  'shard-truncated': ofShards,
  'shard-corrupt': ofShards,
  'shard-unsupported': ofShards,
  'shard-columns': ofShards,
  'shard-too-large': ofShards,
  'member-unsupported': ofShards,
  'classifier-low': 'needs a trained classifier: test/cli/commands/train-screen.test.ts',
  'worker-lost': 'needs a record that crashes a thread: test/fault/worker-crashes.test.ts',
  'unit-poison': 'needs a decision about a unit: test/flow/unit-hazards.test.ts',
  'worker-timeout': 'needs a record that blocks a thread until its deadline: test/fault/worker-crashes.test.ts',
  'near-duplicate-unverified': 'needs a text that is no longer kept: test/dedup/deduplicator.test.ts',
  'duplicate-variant': 'one variant is requested for each chunk: test/kun/stages.test.ts',
  'surplus-instructions': 'the first instruction of a reply is read: test/kun/stages.test.ts',
  ...Object.fromEntries(
    ['perplexity-low', 'perplexity-high', 'answer-perplexity-high', 'ifd-low', 'ifd-high'].map((reason) => [
      reason,
      'needs log-probabilities of a prompt: test/flow/prompt-losses.test.ts',
    ]),
  ),
  deadline: 'needs requests that last until their deadline: test/fault/server-faults.test.ts',
}

type Cells = Readonly<Record<string, unknown>>
type Preset = 'default' | 'paper'

const good = { probabilities: { 好: 0.9, 差: 0.05 } }
const columns = [
  {
    ...{ name: 'difficulty', after: 'label', model: 'm', type: 'number', min: 1, max: 5, keepIf: { min: 2, max: 4 } },
    prompt: { text: '难度是多少？\n{instruction}' },
  },
  {
    ...{ name: 'domain', after: 'pair', model: 'm', type: 'enum', values: ['科学', '历史', '生活', '其他'] },
    ...{ prompt: { text: '属于哪个领域？\n{output}\n{text}' }, keepIf: { notIn: ['其他'] } },
  },
]

const forms: Readonly<Record<Preset, GoldenForm>> = {
  default: {
    stages: {
      screen: screenRubric,
      label: labelChatRubric,
      score: scoreRubric,
      polish: polishRubric,
      'pair-answers': pairAnswersRubric,
      'pair-follows': pairFollowsRubric,
      difficulty: '难度是多少？',
      domain: '属于哪个领域？',
    },
    instruction: /(?:【指令】|难度是多少？\n)([\s\S]*?)(?:【\/指令】|\n\n只回答)/,
    otherwise: {
      ...{ screen: good, score: good, 'pair-answers': good, 'pair-follows': good },
      ...{ difficulty: '3', domain: '科学' },
    },
  },
  paper: {
    stages: {
      label: '<|im_start|>user请直接告诉我，以下回复最有可能对应的指令是什么：',
      score: '<|im_start|>user判断指令的好坏',
      polish: '<|im_start|>user 已知：',
    },
    instruction: /指令: 【([\s\S]*)】 回复：/,
    otherwise: {},
  },
}

const kunOf: Readonly<Record<Preset, Cells>> = {
  default: {
    screen: { model: 'm' },
    label: { model: 'm' },
    score: { model: 'm' },
    polish: {
      model: 'm',
      support: { supportMin: 0.3, factsMin: 0.5, copiedMax: 0.8, lengthRatioMin: 0.25, lengthRatioMax: 3 },
    },
    pair: { model: 'm' },
    columns,
    dedupInstructions: 'near',
  },
  paper: {
    preset: 'paper',
    label: { model: 'm' },
    score: { model: 'm', prompt: { file: join(folder, 'prompt-score.json') } },
    polish: { model: 'm', prompt: { file: join(folder, 'prompt-answer.json') } },
  },
}

/** Upper limit of a record, bytes: a record of the corpus is smaller. */
const recordBytesMax = 8192

/** Records that a file of fixtures should not have: not JSON, not UTF-8, and too large. */
const damaged = Buffer.concat([
  Buffer.from('{"id": "invalid-json", "text": \n'),
  Buffer.from('{"id": "invalid-utf8", "text": "\xc3\x28"}\n', 'latin1'),
  Buffer.from(`${JSON.stringify({ id: 'record-too-large', text: '长'.repeat(recordBytesMax / 2) })}\n`),
])

function recipeOf(preset: Preset, endpoint: string, input: string, inFlight: number): string {
  const prepare = { quality: { charsMax: 1500 }, decontaminate: { files: [join(folder, 'benchmark.jsonl')] } }
  return JSON.stringify({
    name: 'golden',
    sources: [{ split: 'golden', files: input, text: 'text', id: 'id', title: 'title' }],
    read: { blockBytes: 4096, recordBytesMax },
    workers: { threads: 1 },
    prepare: preset === 'default' ? prepare : { chunk: { tokensMax: 800 } },
    models: {
      m: {
        endpoints: [endpoint],
        model: 'golden',
        apiKey: `env:${keyVariable}`,
        limiter: 'fixed',
        inFlightMax: inFlight,
      },
    },
    kun: kunOf[preset],
    output: { dir: 'unused', candidatesPerCut: 200 },
  })
}

interface Golden {
  readonly rows: readonly Cells[]
  readonly rejects: readonly Cells[]
}

interface Ran extends Golden {
  readonly server: GoldenServer
  readonly directory: string
}

function readJson<T>(name: string): T {
  return JSON.parse(readFileSync(join(folder, name), 'utf8')) as T
}

function documentsOf(preset: Preset): readonly GoldenDocument[] {
  const lines = readFileSync(join(folder, `documents-${preset}.jsonl`), 'utf8')
    .trimEnd()
    .split('\n')
  return lines.map((line) => JSON.parse(line) as GoldenDocument)
}

async function run(t: Test, preset: Preset, inFlight: number): Promise<Ran> {
  const root = t.testdir()
  const input = join(root, 'golden.jsonl')
  copyFileSync(join(folder, `documents-${preset}.jsonl`), input)
  if (preset === 'default') writeFileSync(input, damaged, { flag: 'a' })
  process.env[keyVariable] = key
  const server = await goldenServer(t, documentsOf(preset), readJson(`replies-${preset}.json`), forms[preset])
  const directory = join(root, 'run')
  const recipe = parseRecipe(recipeOf(preset, server.url, input, inFlight), 'golden.json', [])
  const { settings, close } = await settingsOf(recipe, directory)
  try {
    t.equal(await (await startKunRun(settings)).done, 'input')
  } finally {
    await close()
  }
  t.strictSame(server.unknown, [], 'every request has a recorded reply')
  t.match(await verifyDirectory(directory), { findings: [] })
  const parts = Object.keys(bytesOf(directory))
  const read = (of: string) => cellsOf(parts.filter((name) => name.startsWith(of)).map((name) => join(directory, name)))
  return { server, directory, rows: await read('data/'), rejects: await read('rejects/') }
}

/** Columns that the other ones decide, or that say with what the run was made. */
const leftOut = new Set(['split', 'source', 'shard', 'offset', 'raw', 'excerpt', 'model', 'prompt_version', 'document'])

async function cellsOf(paths: readonly string[]): Promise<Cells[]> {
  const cells: Cells[] = []
  for (const path of paths) {
    const part = await openPart(path)
    for await (const { key, ...row } of rowsOf(part)) {
      const kept = Object.entries(row).filter(([name, value]) => !leftOut.has(name) && value !== null)
      cells.push({ key, ...Object.fromEntries(kept) })
    }
    await part.close()
  }
  return cells
}

async function golden(t: Test, preset: Preset): Promise<Ran> {
  const first = await run(t, preset, 1)
  const stored = `expected-${preset}.json`
  const { rows, rejects } = first
  if (process.env.KUN_UPDATE_GOLDEN === '1') {
    writeFileSync(join(folder, stored), `${JSON.stringify({ rows, rejects }, null, 1)}\n`)
  }
  const expected = readJson<Golden>(stored)
  t.strictSame(rows, expected.rows, 'the stored rows')
  t.strictSame(rejects, expected.rejects, 'the stored rejects')

  const named = new Map(rejects.map(({ key, reason }) => [key, reason]))
  const made = new Set(rows.map(({ key }) => key))
  for (const { id } of documentsOf(preset)) {
    const [word = ''] = id.split(' ')
    if (Object.hasOwn(rejectReasons, word) && !id.endsWith(' first')) t.equal(named.get(id), word, id)
    else t.ok(made.has(id), `${id} is a row: ${named.get(id)}`)
  }
  await t.test('with 16 in flight', async (t) => {
    const second = await run(t, preset, 16)
    t.strictSame(bytesOf(second.directory), bytesOf(first.directory))
  })
  return first
}

const reached = new Set<unknown>()

t.test('the default preset gives the stored rows and rejects', async (t) => {
  const { rejects } = await golden(t, 'default')
  for (const { reason } of rejects) reached.add(reason)
})

t.test('the preset paper gives the stored rows and rejects, and sends the published requests', async (t) => {
  const ran = await golden(t, 'paper')
  for (const { reason } of ran.rejects) reached.add(reason)
  publishedRequests(t, ran)
})

t.test('every reason is reached, or is listed with why it is not', async (t) => {
  for (const reason of Object.keys(rejectReasons) as RejectReasonName[]) {
    const isReached = reached.has(reason)
    if (Object.hasOwn(unreached, reason)) t.notOk(isReached, `${reason} is reached: remove it from the list`)
    else t.ok(isReached, `${reason} is reached: a record of fixtures/golden has it`)
  }
})

const publishedSampling = {
  model: 'golden',
  temperature: 0.5,
  top_p: 0.95,
  repetition_penalty: 1.2,
  max_tokens: 1024,
}

/** The formats as published, written out here: not from the code of the preset. */
function publishedRequests(t: Test, { server }: Ran): void {
  const texts = new Map(documentsOf('paper').map(({ id, text }) => [id, text]))
  const end = '<|im_end|>\n<|im_start|>assistant\n'
  const replies = readJson<Readonly<Record<string, RecordedReplies>>>('replies-paper.json')
  for (const { record, stage, prompt, body } of server.sent) {
    const text = texts.get(record)
    const whole = String(replies[record]?.label)
      .split('<|endoftext|>')[0]
      ?.replace(/[ \n]+$/, '')
    const instruction = cutInstructions[record] ?? whole
    const published: Readonly<Record<string, string>> = {
      label: `<|im_start|>user请直接告诉我，以下回复最有可能对应的指令是什么：\n${text}${end}`,
      score: `<|im_start|>user判断指令的好坏，只写【好】或【差】。\u200b例：【写诗。】【差】\n指令: 【${whole}】 回复：${end}`,
      polish: `<|im_start|>user 已知：\n${text},请回答:${instruction}${end}`,
    }
    t.equal(prompt, published[stage], `${stage} of ${record}`)
    const { seed, prompt: _, ...sampling } = body
    t.type(seed, 'number')
    t.strictSame(sampling, publishedSampling)
  }
  const stages = server.sent.map(({ stage }) => stage)
  for (const stage of ['label', 'score', 'polish']) t.ok(stages.includes(stage), stage)
}

/** Where text and instruction do not fit in 512 tokens, the instruction is cut. */
const cutInstructions: Readonly<Record<string, string>> = {
  'row instruction cut to the budget': '请写一篇游记，第一段写渔船，第二段写码头，第三段写海鲜，第',
}
