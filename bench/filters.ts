/**
 * Labelled documents, replies and instructions through the filters of the product with default options: what is dropped,
 * kept and repaired, against the labels. Without `--labelled`, those of fixtures/labelled.
 */
import { join } from 'node:path'
import { packageFolder } from '../lib/cli/init/demo.js'
import { prepareDocuments } from './filters-documents.js'
import type { DocumentExample, InstructionExample, ReplyExample } from './filters-examples.js'
import { judge } from './filters-judgement.js'
import { readLabelled } from './filters-read.js'
import { runInstruction, runReply } from './filters-replies.js'
import { documentTables, instructionTables, type JudgedInstruction, replyTables } from './filters-tables.js'
import type { BenchOptions, BenchResult } from './types.js'

export const bench = {
  name: 'filters',
  description: 'precision and recall of filters and checks on labelled examples',
  run,
}

const ours = join(packageFolder(), 'fixtures/labelled')

/** @throws {UsageError} a labelled file cannot be read or has an invalid example */
async function run({ say, labelled = [] }: BenchOptions): Promise<BenchResult> {
  const examples = await readLabelled(labelled.length === 0 ? [ours] : labelled)
  const documents = examples.filter((example): example is DocumentExample => example.of === 'document')
  const instructions = examples.filter((example): example is InstructionExample => example.of === 'instruction')
  say(`${examples.length} examples: ${documents.length} documents, ${instructions.length} instructions`)
  const measured = [
    documentTables(await prepareDocuments(documents)),
    ...(await Promise.all(
      (['label', 'polish', 'score'] as const).map(async (stage) => {
        const replies = examples.filter((example): example is ReplyExample => example.of === stage)
        return replyTables(stage, await Promise.all(replies.map(async (each) => judge(each, await runReply(each)))))
      }),
    )),
    instructionTables(await Promise.all(instructions.map(judgeInstruction))),
  ]
  return {
    tables: measured.flatMap(({ tables }) => tables.filter(({ rows }) => rows.length > 0)),
    aims: measured.flatMap(({ aims }) => aims),
  }
}

async function judgeInstruction(example: InstructionExample): Promise<JudgedInstruction> {
  const outcome = await runInstruction(example)
  const unchanged = outcome.rows.length === 1 && outcome.rows[0] === example.instruction
  return { example, outcome, fate: outcome.rows.length === 0 ? 'dropped' : unchanged ? 'kept' : 'altered' }
}
