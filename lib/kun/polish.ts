/** Answer polishment: the chat model rewrites the raw text as an answer to the instruction, or answers it by itself. */
import type { Model } from '../llm/types.js'
import { fittingInstruction } from './instruction-budget.js'
import { type PolishOptions, samplingOf } from './options.js'
import { kunSampling } from './preset.js'
import { promptVersion, type Template, templateOf } from './prompts.js'
import { readPersonal } from './replies/personal.js'
import { closingRepair } from './replies/published.js'
import { readAnswer } from './replies/read-answer.js'
import { readingOf, readOnce } from './replies/reading.js'
import { stageRanks } from './stage-ranks.js'
import { supportCells, supportColumns, supportFault, supportOf } from './support.js'
import { droppedWith, type KunStage, type Pair, withCells } from './types.js'

/** Returns the template of the stage: in `distil` the built-in one has the instruction and no text. */
export function polishTemplate({ mode, prompt }: Pick<PolishOptions, 'mode' | 'prompt'>): Template {
  return templateOf(mode === 'distil' && prompt === 'polish' ? 'distil' : prompt)
}

/** Sets the output of each pair and its support by the text, or drops the pair with the fault of the reply. */
export function polishStage(model: Model, options: PolishOptions): KunStage<Pair, Pair> {
  const template = polishTemplate(options)
  const sampling = samplingOf(kunSampling, template.sampling, options.sampling)
  return {
    name: 'polish',
    stageOrder: stageRanks.polish,
    promptVersion: promptVersion(template),
    columns: supportColumns,
    run: async (pair, { position, signal }) => {
      const { title, heading } = pair.candidate
      // The label stage sets an output if the text is an exam: its answer.
      const text = pair.output ?? pair.candidate.text
      const { tokensMax, repairInstruction } = options
      const instruction =
        tokensMax === undefined ? pair.instruction : fittingInstruction(pair.instruction, pair.candidate, tokensMax)
      if (instruction === '') return { drop: 'instruction-too-long', detail: `no tokens left of ${tokensMax}` }
      const request = { ...template.render({ text, title, heading, instruction }), sampling }
      const readText = (reply: string) => readAnswer(reply, { instruction, text }, options.filter)
      const read = readOnce((reply) => {
        const reading = readPersonal(reply, options.personal, readText, 'output-personal')
        const support = supportOf(reading.text, text)
        return { ...reading, support, fault: reading.fault ?? supportFault(support, options.support) }
      })
      const answer = await model.ask({
        record: pair.id,
        position,
        stage: 'polish',
        stageOrder: stageRanks.polish,
        request,
        ...readingOf(options.filter.reading, request, (reply) => read(reply.text)),
        signal,
      })
      if ('verdict' in answer) return { drop: answer.verdict.reason, detail: answer.verdict.detail }
      const { text: output, masked, support } = read(answer.reply.text)
      const personal = Object.keys(masked).length > 0 && { personal: { ...pair.personal, output: masked } }
      const polished = withCells({ ...pair, ...personal, instruction, output }, supportCells(support))
      if (!repairInstruction) return { emit: [polished] }
      const repaired = closingRepair(instruction)
      if (repaired) return { emit: [{ ...polished, instruction: repaired }] }
      const dropped =
        repaired === null
          ? { drop: 'instruction-repeats', detail: 'a line is there twice, and is not the first' }
          : { drop: 'instruction-none', detail: 'begins with 5 blanks' }
      return droppedWith(polished, dropped)
    },
  }
}
