import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import t from 'tap'
import type { z } from 'zod'
import { nodeFiles } from '../../lib/storage/files.js'
import { addDatasetEntry, datasetEntry } from '../../lib/training/dataset-info.js'
import type { Preference } from '../../lib/training/example.js'
import { exampleForm, exampleForms, type Form, preferenceForm, preferenceForms } from '../../lib/training/forms.js'
import { openRowFile, type RowFormat } from '../../lib/training/row-file.js'
import { alignedBy, axolotl, datasetInfo, trl } from './trainer-schemas.js'

const examples: readonly Preference[] = [
  { instruction: '怎样煮饭？\n说明火候。', output: '先洗米。\n"再"浸泡😀', system: '', rejected: '洗米' },
  { instruction: '一加一', output: '二', system: '', rejected: '三' },
]
const withSystem: Preference = { instruction: '你好', output: '您好', system: '你是助手', rejected: '哦' }

/** Schemas that each form must fit. LLaMA-Factory has none: it is told the form in dataset_info.json. */
const schemas: Readonly<Record<string, readonly z.ZodType[]>> = {
  messages: [trl.conversationalLanguageModeling, axolotl.chatTemplate],
  alpaca: [axolotl.alpaca],
  sharegpt: [axolotl.sharegpt],
  completion: [trl.standardPromptCompletion],
  dpo: [trl.conversationalPreference],
  'dpo-text': [trl.standardPreference, axolotl.dpoPromptPairs],
  'dpo-messages': [axolotl.dpoChatTemplate],
}

async function written<T>(form: Form<T>, records: readonly T[], format: RowFormat, path: string): Promise<void> {
  const file = await nodeFiles.open(path, 'write')
  const write = async (parts: readonly Uint8Array[]) => {
    for (const part of parts) await file.write(part)
  }
  const rows = await openRowFile({ write }, form.columns, format)
  for (const record of records) await rows.add(form.rowOf(record))
  await rows.end()
  await file.close()
}

function linesOf(path: string): Record<string, unknown>[] {
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
  return lines.map((line) => JSON.parse(line))
}

async function parquetRows(path: string): Promise<Record<string, unknown>[]> {
  const connection = await (await DuckDBInstance.create()).connect()
  const reader = await connection.runAndReadAll(`from read_parquet('${path}')`)
  connection.closeSync()
  return reader.getRowObjectsJson()
}

for (const name of [...exampleForms, ...preferenceForms]) {
  t.test(`the form ${name} fits what the trainers document, as JSON Lines and as Parquet`, async (t) => {
    const isExample = exampleForms.some((each) => each === name)
    const records = isExample && name !== 'completion' ? [...examples, withSystem] : examples
    const form: Form<Preference> = isExample
      ? exampleForm(name as (typeof exampleForms)[number], { systems: true })
      : preferenceForm(name as (typeof preferenceForms)[number])
    const folder = t.testdir()
    const [lines, parquet] = [join(folder, 'pairs.jsonl'), join(folder, 'pairs.parquet')]
    await written(form, records, 'jsonl', lines)
    await written(form, records, 'parquet', parquet)
    const rows = linesOf(lines)
    t.equal(rows.length, records.length)
    t.strictSame(await parquetRows(parquet), rows, 'both formats hold the same rows')
    const fitting = schemas[name] ?? []
    t.ok(fitting.length > 0)
    for (const schema of fitting) for (const row of rows) t.strictSame(schema.safeParse(row).error, undefined)

    const entry = datasetEntry(form)
    if (entry === null) {
      t.equal(name, 'dpo', 'LLaMA-Factory reads every other form')
      return
    }
    const info = join(folder, 'dataset_info.json')
    await addDatasetEntry(info, lines, entry)
    const entries = datasetInfo.parse(JSON.parse(readFileSync(info, 'utf8')))
    t.equal(entries.pairs?.file_name, 'pairs.jsonl')
    for (const [index, row] of rows.entries()) {
      const { instruction, output, rejected, system } = records[index] as Preference
      t.strictSame(alignedBy({ file_name: 'pairs.jsonl', ...entry }, row), {
        system,
        prompt: [{ role: 'user', content: instruction }],
        replies: isExample ? [output] : [output, rejected],
      })
    }
  })
}

t.test('an entry of dataset_info.json is added beside others, and names its file relative to itself', async (t) => {
  const folder = t.testdir({
    data: { 'dataset_info.json': '{ "identity": { "file_name": "identity.json" }, "mine": { "file_name": "old" } }' },
    out: {},
  })
  const info = join(folder, 'data', 'dataset_info.json')
  const entry = datasetEntry(preferenceForm('dpo-messages')) ?? {}
  t.equal(await addDatasetEntry(info, join(folder, 'out', 'mine.jsonl'), entry), 'mine')
  t.match(JSON.parse(readFileSync(info, 'utf8')), {
    identity: { file_name: 'identity.json' },
    mine: { file_name: '../out/mine.jsonl', ranking: true, formatting: 'sharegpt' },
  })
  for (const text of ['[]', '{', '7']) {
    const bad = join(t.testdir({ 'dataset_info.json': text }), 'dataset_info.json')
    await t.rejects(addDatasetEntry(bad, 'a.jsonl', entry), {
      name: 'UsageError',
      message: /dataset_info\.json is not/,
    })
    t.equal(readFileSync(bad, 'utf8'), text, 'it is unchanged')
  }
})

t.test('a text with a lone surrogate is written well-formed', async (t) => {
  const path = join(t.testdir(), 'a.jsonl')
  await written(exampleForm('alpaca'), [{ instruction: 'a\ud800', output: 'b', system: '' }], 'jsonl', path)
  t.equal(readFileSync(path, 'utf8'), '{"instruction":"a\ufffd","input":"","output":"b"}\n')
})
