/** Prepares labelled documents as a run with default options does, and says which are kept and why others are not. */
import { textAt } from '../lib/text/columns.js'
import { kindBounds, type TextKind } from '../lib/text/filters/kinds.js'
import { planPreparation, prepareOptions } from '../lib/text/plan.js'
import { createPreparer, type Preparer, prepareBlock } from '../lib/text/prepare.js'
import type { DocumentExample } from './filters-examples.js'

export interface DocumentOutcome {
  readonly example: DocumentExample
  /** Reason of the drop; null if a chunk of the document is kept. */
  readonly dropped: string | null
  readonly detail: string
  /** Strings of `has` that are gone, and of `lacks` that are left; empty for a dropped document. */
  readonly lost: readonly string[]
  readonly left: readonly string[]
  /** Share of the visible characters that is kept. */
  readonly keptShare: number
}

/** Returns an outcome for each document, in order. */
export async function prepareDocuments(examples: readonly DocumentExample[]): Promise<DocumentOutcome[]> {
  const plan = await planPreparation(prepareOptions.parse({}), '.', { ngram: 5, signatureLength: 128, seed: 1 })
  const preparer = await createPreparer(plan)
  const outcomes = new Map<DocumentExample, DocumentOutcome>()
  for (const kind of new Set(examples.map(({ source }) => source))) {
    const alike = examples.filter(({ source }) => source === kind)
    for (let from = 0; from < alike.length; from += documentsPerBlock) {
      const block = alike.slice(from, from + documentsPerBlock)
      for (const outcome of prepareExamples(block, kind, preparer)) outcomes.set(outcome.example, outcome)
    }
  }
  return examples.flatMap((example) => outcomes.get(example) ?? [])
}

/** Documents prepared at once: a block of a run has about as many. */
const documentsPerBlock = 500

function prepareExamples(
  examples: readonly DocumentExample[],
  kind: TextKind | undefined,
  preparer: Preparer,
): DocumentOutcome[] {
  const lines = examples.map(({ id, title, text }) => JSON.stringify({ id, title, text }))
  const { chunks, rejects } = prepareBlock(
    {
      number: 0,
      split: 'labelled',
      shard: 'documents.jsonl',
      bytes: Buffer.from(lines.join('\n')),
      offset: 0,
      offsetUnit: 'byte',
      mapping: { text: 'text', id: 'id', title: 'title', ...(kind !== undefined && { quality: kindBounds[kind] }) },
      rejected: [],
    },
    preparer,
  )
  const kept = examples.map((): string[] => [])
  chunks.document.forEach((document, row) => {
    kept[document]?.push(textAt(chunks.text, row))
  })
  const whole = new Map(rejects.filter(({ chunk }) => chunk === null).map((reject) => [reject.document, reject]))
  return examples.map((example, document) => {
    const reject = whole.get(document)
    return outcomeOf(example, (kept[document] ?? []).join('\n'), reject?.reason ?? null, reject?.detail ?? '')
  })
}

/** @param kept text of the chunks that are kept, joined by line ends */
function outcomeOf(example: DocumentExample, kept: string, dropped: string | null, detail: string): DocumentOutcome {
  return {
    example,
    dropped,
    detail,
    lost: dropped === null ? example.has.filter((part) => !kept.includes(part)) : [],
    left: dropped === null ? example.lacks.filter((part) => kept.includes(part)) : [],
    keptShare: visible(kept) / Math.max(1, visible(example.text)),
  }
}

function visible(text: string): number {
  return text.replace(/\s/g, '').length
}
