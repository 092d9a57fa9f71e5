/** Answer polishment: the chat model rewrites the raw text as an answer to the instruction. */
import type { Model } from '../llm/types.js'
import { outputFault, textFault } from './checks.js'
import { kunSampling, type PolishOptions, samplingOf } from './options.js'
import { promptVersion, templateOf } from './prompts.js'
import { replyText } from './reply-text.js'
import type { KunStage, Pair } from './types.js'

/** Sets the output of each pair, or drops the pair with the reason of the output filter. */
export function polishStage(model: Model, options: PolishOptions): KunStage<Pair, Pair> {
  const template = templateOf(options.prompt)
  const sampling = samplingOf(kunSampling, template.sampling, options.sampling)
  return {
    name: 'polish',
    stageOrder: 2,
    promptVersion: promptVersion(template),
    run: async (pair, { position, signal }) => {
      const { text, title } = pair.candidate
      const answer = await model.ask({
        record: pair.id,
        position,
        stage: 'polish',
        stageOrder: 2,
        request: { ...template.render({ text, title, instruction: pair.instruction }), sampling },
        fault: textFault,
        signal,
      })
      if ('verdict' in answer) return { drop: answer.verdict.reason, detail: answer.verdict.detail }
      const output = outputOf(answer.reply.text)
      return outputFault(output, options.filter) ?? { emit: [{ ...pair, output }] }
    },
  }
}

/** Returns the answer in a reply, without the prefix 回答：. */
function outputOf(reply: string): string {
  return replyText(reply).replace(/^(?:回答|答案|答)\s{0,4}[：:]\s*/, '')
}
