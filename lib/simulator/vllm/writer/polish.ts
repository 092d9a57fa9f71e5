/**
 * Answer polishment without a model: the sentences of a text that are relevant to the instruction, in their order, cleaned
 * and joined. Adds no facts.
 */
import { keyPhrases } from './key-phrases.js'

/** Minimum characters of a reply, if the text is long enough. */
const answerCharsMin = 20
const answerCharsMax = 600
/** Target share of the text's characters. */
const share = 0.7
const connectives = /^(?:但是|但|然而|不过|而且|并且|所以|因此|于是|可是|另外|此外|同时|其中|那么|而)[，,]?/u
const clutter =
  /https?:\/\/[\w./?=&%#-]+|（(?:记者|编辑|来源|责编)[^）]{0,30}）|\((?:记者|编辑|来源|责编)[^)]{0,30}\)|责任编辑[:：]\S{0,12}|(?:点击|扫码|关注)(?:查看|阅读|下方|公众号)[^。！？]{0,20}/gu

/** Returns a reply to `instruction` built from sentences of `text`. */
export function polish(text: string, instruction: string): string {
  const sentences = sentencesOf(text)
  if (sentences.length === 0) return text.trim()
  const asked = keyPhrases(instruction).map(({ phrase }) => phrase)
  const topics = keyPhrases(text).map(({ phrase }) => phrase)
  const worth = sentences.map((sentence, place) => {
    const hits = (phrases: readonly string[]) => phrases.filter((phrase) => sentence.includes(phrase)).length
    return 2 * hits(asked) + hits(topics) + 1 / (1 + place)
  })
  const goal = Math.max(answerCharsMin, Math.min(answerCharsMax, Math.ceil(text.length * share)))
  const chosen = new Set<number>()
  let length = 0
  for (const place of sentences.map((_, index) => index).sort((a, b) => at(worth, b) - at(worth, a) || a - b)) {
    if (length >= goal) break
    chosen.add(place)
    length += (sentences[place] as string).length
  }
  return join(sentences, chosen)
}

function sentencesOf(text: string): string[] {
  return text
    .replace(clutter, '')
    .split(/(?<=[。！？!?；;])|\n+/u)
    .map((sentence) => sentence.replace(/\s+/gu, ' ').trim())
    .filter((sentence) => /[\p{Script=Han}\p{L}]{2}/u.test(sentence))
}

/** Removes a connective at the start of a sentence whose predecessor was dropped, and of the first sentence. */
function join(sentences: readonly string[], chosen: ReadonlySet<number>): string {
  let answer = ''
  let previous = -2
  for (const [place, sentence] of sentences.entries()) {
    if (!chosen.has(place)) continue
    const bare = place === previous + 1 ? sentence : sentence.replace(connectives, '')
    const joined = answer === '' || place === previous + 1 ? bare : withConnective(bare)
    answer += /[。！？!?]$/u.test(joined) ? joined : `${joined.replace(/[，、；;,：:]$/u, '')}。`
    previous = place
  }
  return answer
}

function withConnective(sentence: string): string {
  return /^(?:此外|同时|首先|其次|最后|另外)/u.test(sentence) ? sentence : `此外，${sentence}`
}

function at(numbers: readonly number[], index: number): number {
  return numbers[index] as number
}
