/**
 * Extracts the question and the answer of an exam-like text: an instruction need not be written for it, it is there.
 *
 * Only a text with exactly one question is read. Pure; linear in the text's length.
 */

interface Exam {
  /** The question with its options. */
  readonly instruction: string
  /** The answer with the words of its option, and the explanation. */
  readonly output: string
}

/** Characters of the longest question: before a longer text the options belong to something else. */
const questionCharsMax = 600

/**
 * Returns the exam in a text, or null.
 *
 * Example: '1. 水的沸点是（ ）\nA. 90℃\nB. 100℃\n答案：B\n解析：标准大气压下…' → instruction '水的沸点是（ ）\nA. 90℃\nB. 100℃',
 * output '答案是B：100℃。\n标准大气压下…'
 */
export function examOf(text: string): Exam | null {
  const [answer, ...others] = [...text.matchAll(answerMark)]
  if (answer === undefined || others.length > 0 || answer.index === 0) return null
  const before = text.slice(0, answer.index).trim()
  const after = text.slice(answer.index + answer[0].length).trim()
  if (after === '' || before.length > questionCharsMax) return null
  const { question, explanation: early } = splitExplanation(before)
  const { question: said, explanation: late } = splitExplanation(after)
  const explanation = [early, late].filter((part) => part !== '').join('\n')
  const options = optionsOf(question)
  if (options === 'several') return null
  const instruction = withoutNumber(question)
  if (options.size === 0) {
    const isAsked = /[？?]|（\s{0,8}）|\(\s{0,8}\)|_{2,}/.test(instruction)
    return isAsked && instruction !== '' ? { instruction, output: joined(said, explanation) } : null
  }
  const letters = /^[（(【[]?([A-H](?:[、,，\s]{0,2}[A-H]){0,7})(?![A-Za-z])[）)】\]]?[。.；;]?/.exec(said)
  if (letters?.[1] === undefined) return null
  const chosen = [...new Set(letters[1].replace(/[^A-H]/g, ''))]
  if (chosen.some((letter) => !options.has(letter))) return null
  const words = chosen.map((letter) => `${letter}：${options.get(letter)}`).join('；')
  const rest = said.slice(letters[0].length).trim()
  const output = joined(`答案是${/[。！？.]$/.test(words) ? words : `${words}。`}`, joined(rest, explanation))
  return { instruction, output }
}

function joined(first: string, second: string): string {
  return [first, second].filter((part) => part !== '').join('\n')
}

const answerMark =
  /(?<=^|[\n\s。）)])[【[（(]?(?:参考|正确|标准|本题)?答案[】\])）]?\s{0,4}(?:[:：]|是(?=\s{0,2}[A-H]))\s{0,4}/g
const explanationMark =
  /(?:^|\n)\s{0,4}[【[（(]?(?:答案|试题|本题|参考)?(?:解析|分析|详解|点拨|点评)[】\])）]?\s{0,4}[:：]?\s{0,4}/

function splitExplanation(text: string): { question: string; explanation: string } {
  const mark = explanationMark.exec(text)
  if (mark === null) return { question: text, explanation: '' }
  return { question: text.slice(0, mark.index).trim(), explanation: text.slice(mark.index + mark[0].length).trim() }
}

/** Returns the options by letter, in order from A; empty without options. */
function optionsOf(question: string): ReadonlyMap<string, string> | 'several' {
  const marks = [...question.matchAll(/(?<=^|[\s　）)。；;？?])([A-HＡ-Ｈ])\s?[.．、:：)）]\s{0,4}/g)]
  const options = new Map<string, string>()
  for (const [index, mark] of marks.entries()) {
    const letter = (mark[1] ?? '').normalize('NFKC')
    if (letter !== String.fromCharCode('A'.charCodeAt(0) + index)) return 'several'
    const end = marks[index + 1]?.index ?? question.length
    options.set(letter, question.slice(mark.index + mark[0].length, end).trim())
  }
  const isComplete = [...options.values()].every((words) => words !== '')
  return options.size === 1 || !isComplete ? 'several' : options
}

/** Removes the number and the kind of the question: '1.', '第3题', '【单选题】', '题目：'. */
function withoutNumber(question: string): string {
  return question
    .replace(/^[【[（(]?(?:单选|多选|选择|判断|填空|简答|单项选择|多项选择)题?[】\])）]?\s{0,4}[:：]?\s{0,4}/, '')
    .replace(
      /^(?:第\s?\d{1,3}\s?题|\d{1,3}|（\d{1,3}）|\(\d{1,3}\)|题目|问题|题干)\s{0,2}(?:[.．、:：)）]|(?<=[）)题]))\s{0,4}/,
      '',
    )
    .trim()
}
