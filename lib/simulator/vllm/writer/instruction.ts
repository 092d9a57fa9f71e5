/**
 * Back-translation without a model: an instruction to which the text is the reply, from its key phrases and kind. A
 * text without key phrases gets a vague instruction, like those of weak models.
 */
import { hashText } from '../../random.js'
import { type KeyPhrase, keyPhrases } from './key-phrases.js'

interface Kind {
  readonly marks: RegExp
  readonly templates: readonly ((first: string, second: string) => string)[]
}

/** The first kind whose marks occur in the text is used; the last one matches every text. */
const kinds: readonly Kind[] = [
  {
    marks: /首先|步骤|第一步|然后再|注意事项|具体做法|应当先|适量|备用/u,
    templates: [
      (first, second) => `怎样做好${first}？请结合${second}给出具体的步骤。`,
      (first, second) => `请说明处理${first}时的步骤，以及${second}方面需要注意的地方。`,
      (first, second) => `${first}应该怎么做？请从${second}入手逐步说明。`,
    ],
  },
  {
    marks: /是指|指的是|称为|定义为|是一种|又名|又称/u,
    templates: [
      (first, second) => `什么是${first}？它与${second}有什么关系？`,
      (first, second) => `请解释${first}的含义，并说明${second}在其中的作用。`,
      (first, second) => `请用通俗的语言介绍${first}，并谈谈${second}。`,
    ],
  },
  {
    marks: /由于|因为|导致|原因|因此|所以/u,
    templates: [
      (first, second) => `为什么${first}会受到${second}的影响？请说明理由。`,
      (first, second) => `${first}与${second}之间有什么联系？请分析原因。`,
      (first, second) => `请分析${second}给${first}带来了哪些影响。`,
    ],
  },
  {
    marks: /(?:)/u,
    templates: [
      (first, second) => `请介绍一下${first}的基本情况，并重点说明${second}。`,
      (first, second) => `谈谈你对${first}的理解，可以从${second}的角度展开。`,
      (first, second) => `请以${first}为主题写一段话，内容要涉及${second}。`,
      (first, second) => `关于${first}，有哪些值得了解的知识？请结合${second}回答。`,
    ],
  },
]

/** Below this weight no word is a key phrase: about two occurrences. */
const tellingWeightMin = 2.3

const vague = ['请概括这段文字的主要内容。', '这段话想要表达什么意思？', '请谈谈你对本文的看法。'] as const

/**
 * Returns an instruction for `text`. It depends on text and seed; the seed selects the template and the phrases.
 */
export function writeInstruction(text: string, seed: number): string {
  const found = keyPhrases(text)
  const phrases = found.map(({ phrase }) => phrase)
  const hash = hashText(text, seed)
  if (phrases.length < 2 || (found[0] as KeyPhrase).weight < tellingWeightMin) return pick(vague, hash)
  const first = phrases[seed === 0 ? 0 : hash % Math.min(3, phrases.length)] as string
  const others = phrases.filter((phrase) => phrase !== first)
  const second = others[seed === 0 ? 0 : (hash >>> 8) % Math.min(3, others.length)] as string
  const kind = kinds.find(({ marks }) => marks.test(text)) as Kind
  return pick(kind.templates, hash >>> 4)(first, second)
}

function pick<T>(choices: readonly T[], hash: number): T {
  return choices[hash % choices.length] as T
}
