/** Runs labelled replies and instructions through the stages of the product with default options. */
import { Child, type Outcome } from '../lib/core/types.js'
import { labelStage } from '../lib/kun/label.js'
import { labelOptions, polishOptions, scoreOptions } from '../lib/kun/options.js'
import { polishStage } from '../lib/kun/polish.js'
import { scoreStage } from '../lib/kun/score.js'
import type { Candidate, KunStage, Pair } from '../lib/kun/types.js'
import type { Model } from '../lib/llm/types.js'
import { recordId } from '../lib/text/identity.js'
import type { InstructionExample, ReplyExample, ScriptedReply } from './filters-examples.js'
import { scriptedModel } from './filters-model.js'

/** Pairs that a stage keeps, and the reason of the first drop if there is none. */
export interface StageOutcome {
  /** Text that the stage writes, of each pair: instruction or output; of the score stage the score. */
  readonly rows: readonly string[]
  /** Score of the first pair; null before the score stage. */
  readonly score: number | null
  readonly dropped: string | null
  readonly detail: string
}

/** Returns what the stage makes of the reply of an example. */
export async function runReply({ of, id, text, instruction, reply }: ReplyExample): Promise<StageOutcome> {
  const candidate = candidateOf(id, text)
  if (of === 'label') return runLabel(candidate, reply)
  const pair = { ...(await pairOf(candidate)), instruction }
  const model = scriptedModel(reply)
  return of === 'polish'
    ? outcomeOf(await run(polishStage(model, polishOptions.parse({ model: model.name })), pair), writtenOutput)
    : outcomeOf(
        await run(scoreStage(model, scoreOptions.parse({ model: model.name })), pair),
        ({ columns }) => `${columns.score}`,
      )
}

/** Returns what the label stage makes of an instruction if the model replies with it alone. */
export function runInstruction({ id, text, instruction }: InstructionExample): Promise<StageOutcome> {
  return runLabel(candidateOf(id, text), { text: instruction, finish: 'stop' })
}

async function runLabel(candidate: Candidate, reply: ScriptedReply): Promise<StageOutcome> {
  return outcomeOf(await run(labelOf(scriptedModel(reply)), candidate), ({ instruction }) => instruction)
}

const labelOf = (model: Model) => labelStage(model, labelOptions.parse({ model: model.name }))
const writtenOutput = ({ output }: Pair): string => output ?? ''

function run<In>(stage: KunStage<In, Pair>, input: In): Promise<Outcome<Pair>> {
  return stage.run(input, { position: [0, 0, 0], signal: new AbortController().signal })
}

function outcomeOf(outcome: Outcome<Pair>, written: (pair: Pair) => string): StageOutcome {
  if (!('emit' in outcome)) return { rows: [], score: null, ...droppedOf(outcome) }
  const pairs = outcome.emit.filter((each): each is Pair => !(each instanceof Child))
  const [child] = outcome.emit.filter((each) => each instanceof Child)
  const dropped = pairs.length === 0 && child !== undefined ? droppedOf(child.outcome) : { dropped: null, detail: '' }
  const score = pairs[0]?.columns.score
  return { rows: pairs.map(written), score: typeof score === 'number' ? score : null, ...dropped }
}

function droppedOf(outcome: Child<Pair>['outcome']): Pick<StageOutcome, 'dropped' | 'detail'> {
  if ('fail' in outcome) throw outcome.fail
  return { dropped: outcome.drop, detail: outcome.detail ?? '' }
}

/** A pair as the label stage makes it, so that it has every field that later stages read. */
async function pairOf(candidate: Candidate): Promise<Pair> {
  const model = scriptedModel({ text: '阳台上的月季怎样过冬？', finish: 'stop' })
  const outcome = await run(labelOf(model), candidate)
  const [pair] = 'emit' in outcome ? outcome.emit : []
  if (pair === undefined || pair instanceof Child) throw new Error('the label stage drops a plain instruction')
  return pair
}

function candidateOf(id: string, text: string): Candidate {
  const place = { split: 'labelled', shard: 'replies.jsonl', offset: 0, chunk: 0 }
  const made = { key: id, title: '', heading: '', text, tokens: text.length, columns: {} }
  return { id: recordId(place.split, place.shard, place.offset, place.chunk), ...place, ...made }
}
