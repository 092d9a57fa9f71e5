/** Blocks and preparers for the tests of text and workers. */
import { Buffer } from 'node:buffer'
import type { Block, PreparedBlock } from '../../lib/text/block.js'
import { type PreparePlan, planPreparation, prepareOptions } from '../../lib/text/plan.js'

export function jsonl(records: readonly unknown[]): Uint8Array {
  return ownBytes(records.map((record) => `${JSON.stringify(record)}\n`).join(''))
}

/** Bytes that own their buffer, as a block's must. */
export function ownBytes(text: string | Uint8Array): Uint8Array {
  return new Uint8Array(Buffer.from(text as string))
}

export function blockOf(bytes: Uint8Array, more: Partial<Block> = {}): Block {
  return {
    number: 0,
    split: 'test',
    shard: 'test.jsonl',
    bytes,
    offset: 0,
    offsetUnit: 'byte',
    mapping: { text: 'text', id: 'id', title: 'title' },
    rejected: [],
    ...more,
  }
}

/** `options` as a recipe's `prepare` would be; signatures are short unless asked for. */
export function planOf(options: unknown = {}, { signatureLength = 0, directory = '.' } = {}): Promise<PreparePlan> {
  return planPreparation(prepareOptions.parse(options), directory, { ngram: 5, signatureLength, seed: 1 })
}

/** Article `index` of a small grammar: sentences that differ, `sentences` of them, in paragraphs of three. */
export function article(index: number, sentences = 6): string {
  const subjects = ['城北的老桥', '山下的茶园', '街角的书店', '河边的渡口', '村里的学堂', '海上的灯塔', '院中的槐树']
  const acts = ['见证了几代人的往来', '在雨季里依然热闹', '由匠人重新修葺过', '保存着许多旧物件', '吸引了远方的客人']
  const times = ['春天', '夏夜', '秋收以后', '大雪那年', '改革初期', '战乱结束时', '前些日子']
  const text: string[] = []
  for (let sentence = 0; sentence < sentences; sentence++) {
    const seed = index * 31 + sentence * 7
    const pick = (list: readonly string[], salt: number) => list[(seed * salt + sentence + index) % list.length]
    text.push(`${pick(times, 3)}，${pick(subjects, 5)}${pick(acts, 11)}，第${index}卷第${sentence}页对此有详细的记载。`)
    if (sentence % 3 === 2) text.push('\n')
  }
  return text.join('').trim()
}

/** The sums that must hold for every block, as a list of what does not. */
export function accountingFaults(prepared: PreparedBlock): string[] {
  const faults: string[] = []
  const { chunks, rejects, documents } = prepared
  const whole = rejects.filter(({ chunk }) => chunk === null).map(({ document }) => document)
  const chunked = new Set(chunks.document)
  if (whole.length !== new Set(whole).size) faults.push('a document is refused twice')
  if (whole.some((document) => chunked.has(document))) faults.push('a document is both chunked and refused')
  if (chunked.size + whole.length !== documents) faults.push(`${chunked.size} + ${whole.length} is not ${documents}`)
  const ordinals = new Map<number, number[]>()
  const note = (document: number, chunk: number) => ordinals.set(document, [...(ordinals.get(document) ?? []), chunk])
  chunks.document.forEach((document, row) => {
    note(document, chunks.chunk[row] as number)
  })
  for (const { document, chunk } of rejects) if (chunk !== null) note(document, chunk)
  for (const [document, list] of ordinals) {
    const gaps = list.sort((a, b) => a - b).some((chunk, index) => chunk !== index)
    if (gaps) faults.push(`document ${document} has the chunks ${list}`)
  }
  return faults
}
