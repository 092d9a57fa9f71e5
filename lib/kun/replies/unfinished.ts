/** Finds texts that end in the middle of a sentence. Lists, tables, code, verses, formulas and Latin words may end as they are. */

/** Letters of a last line without an end mark that is not a title, a verse or a list item. */
const proseLettersMin = 30
/** Lines read from the end to decide whether the text is verse. */
const linesMax = 40

const ended =
  /[。！？…!?.．；;~～”’』」）)】\]》〉>】}`|*_:：=＝+\-—％%°℃#$￥\p{Extended_Pictographic}\p{Emoji_Modifier}]$|[\ufe0f\u20e3]$/u
const stops = /[，、,（(“「『《【〈[{：:—]$/u

/** Returns the end of an answer that stops in the middle of a sentence, or null. Linear in the text's length. */
export function unfinishedAnswer(text: string): string | null {
  const trimmed = text.trimEnd()
  const line = trimmed.slice(trimmed.lastIndexOf('\n') + 1)
  const end = line.slice(-20)
  if ((trimmed.split('```').length - 1) % 2 === 1) return end
  if (/[，、,（(“「『《【〈[{]$/u.test(line) && !/^[\s\w,.(){}[\]"'=]*$/.test(line)) return end
  if (/^\s{0,8}(?:\d{1,3}[.、．)）]|[（(]\d{1,3}[）)]|[-*•])\s{0,8}$/u.test(line)) return end
  if (/[—–-]{2}$|——$/u.test(line) && /\p{Script=Han}[—–-]{1,4}$/u.test(line)) return end
  if (/[：:]$/u.test(line) && !/^\s{0,8}[#|]/u.test(line)) return end
  if (ended.test(line) || /[（【《“「][^）】》”」。]{0,3}$/u.test(line)) return opensBracket(line) ? end : null
  // Latin words, digits: a formula, a unit, a name.
  if (!/\p{Script=Han}$/u.test(line)) return null
  if (connective.test(line)) return end
  if (isItem(line) || isVerse(trimmed)) return null
  const last = line.search(/[^。！？；!?;]*$/u)
  const rest = line.slice(last)
  // A sentence before it on the same line shows that the line is prose.
  if (last > 0) return rest.length >= 2 ? end : null
  return rest.length >= proseLettersMin || /[，,]/u.test(rest) ? end : null
}

/** Words after which a sentence continues. */
const connective =
  /(?:以及|并且|而且|但是|因为|由于|如果|虽然|尽管|对于|关于|例如|比如|譬如|包括|需要|应该|必须|可以|能够|为了|随着|通过|根据|按照|或者|还是|不仅|即使|只要|只有|无论|除了|此外|另外|同时|其中|首先|其次|最后|因此|所以|然而|不过|甚至|尤其是?|特别是|主要是|分别是|以便|从而|进而|使得|导致|等方面的|之间的|一个|一种|这个|每个|各种|(?<![温总中柔谐饱缓平])和|(?<![参给授])与|(?<![埃普涉危波顾])及|(?<![间抑])或|(?<![合兼吞])并|(?<!棉)被|(?<![即麻主])将|(?<!尤)其|(?<![门刀火])把|(?<![而况])且|(?<![方趋走倾导意志转定风面取])向|(?<![服顺听])从)$/u

/** A bracket or quote that is opened in the last sentence and never closed. */
function opensBracket(line: string): boolean {
  const tail = line.slice(Math.max(0, line.length - 60))
  for (const [open, close] of ['（）', '《》', '【】', '“”', '「」'].map((pair) => [...pair] as [string, string])) {
    const at = tail.lastIndexOf(open)
    if (at >= 0 && tail.indexOf(close, at) < 0 && !/[。！？]/u.test(tail.slice(at))) return true
  }
  return false
}

/** '- 剪去枯枝', '3. 剪去枯枝', '| 春 | 轻剪', '    return 枯枝'. */
function isItem(line: string): boolean {
  return /^\s{0,12}(?:[-*•·●◆▪○+]|\d{1,3}[.、．)）]|[（(][\d一二三四五六七八九十]{1,3}[）)]|[一二三四五六七八九十]{1,3}[、.]|[①-⑳]|\|)|^(?: {4}|\t)|^#{1,6}\s|^[^，。]{1,12}[：:][^。]{1,30}$/u.test(
    line,
  )
}

/** Short lines of which most have no end mark: a poem, a list without bullets, a signature. */
function isVerse(text: string): boolean {
  const lines = text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-linesMax)
  if (lines.length < 2) return false
  const last = lines.at(-1) as string
  if (last.length > 24) return false
  const open = lines.filter((line) => line.length <= 24 && !/[。！？!?]$/u.test(line.trimEnd())).length
  // The last line alone: a name or a date under a letter.
  return (
    open >= lines.length / 2 ||
    (last.length <= 14 && !/[，,]/u.test(last) && /^\s|[年月日号]$|^[\p{Script=Han}·]{2,8}$/u.test(last))
  )
}

/**
 * Returns the end of an instruction that stops in the middle of a sentence, or null. Most good instructions have no full
 * stop: only an open end counts.
 */
export function unfinishedInstruction(instruction: string): string | null {
  const trimmed = instruction.trimEnd()
  const end = trimmed.slice(-12)
  if (stops.test(trimmed) && !/[：:]$/u.test(trimmed)) return end
  if (/[：:]$/u.test(trimmed) && trimmed.length > 0) return end
  if (openNumber.test(trimmed)) return end
  if (
    /[。？！?!](?:它|他|她|其|这|以及|和|与|并且|而且|如果|例如|另外|同时|此外)[^。？！?!]{0,24}[”』」》]$/u.test(
      trimmed,
    )
  )
    return end
  if (!/\p{Script=Han}$/u.test(trimmed)) return null
  if (openEnd.test(trimmed)) return end
  // 的 ends 是怎样形成的, not 在农业生产中的.
  if (opensBracket(trimmed)) return end
  const clause = trimmed.slice(trimmed.search(/[^，。；：！？,;:!?\n]*$/u))
  if (
    /[的之]$/u.test(clause) &&
    !/是|怎|如何|什么|谁|哪|几|多少|为何|(?:好|不错|合适|便宜|可以|正确|错误|真|假|一样)的$/u.test(clause)
  )
    return end
  return null
}

const openEnd =
  /(?:而不是|而非|并不是|不仅是|而是|不但|与其|宁可|以至|乃至|直至|直到|予以|给予|加以|用于|位于|在于|来自|分为|属于|相比|相对于|至于|有关|若干|某个|某种|何种|哪一|哪些方|(?<![存所现何实内外潜健自好正还旺])在|(?<![反不面相绝配应核校成派一])对|(?<![谦忍转出礼退])让|(?<![供补配自])给|(?<![对相无好百占价配])比|(?<![自理缘来根因事])由|(?<![但可还于就只也都总不凡或若如要像国实])是|以及|并且|而且|但是|因为|由于|如果|虽然|尽管|对于|关于|例如|比如|包括|每一步需要|步需要|并需要|还需要|必须|能够|为了|随着|通过|根据|按照|或者|不仅|即使|只要|无论|除了|此外|另外|其中|因此|所以|然而|以便|从而|使得|导致|(?<![温总中柔谐饱缓平])和|(?<![参给授])与|(?<![埃普涉危波顾])及|(?<![间抑])或|(?<![合兼吞])并|(?<!棉)被|(?<![即麻主])将|(?<!尤)其|(?<![门刀火])把|(?<![而况])且|(?<![方趋走倾导意志转定风面取])向|(?<![服顺听])从|请说明|并说明|又|既|才能|是否|能否|是不是|并解释|并分析|并介绍|并指出|并列出|并给出|并描述|并比较|并写出|说明其|分析其|一个|一种|这些|那些|某些|这种|那种|各种|不同的|(?:并且|而且|并)还(?:要|会|能|需)|要(?:爬|走|跑|飞|游|回|搬|移|升|降|延|推|加|变)到)$/u

/** The number of an item that is missing: 要求：1. */
const openNumber = /[：:\n]\s{0,4}[（(]?(?:\d{1,2}|[一二三])\s?[.、．)）]$/u
