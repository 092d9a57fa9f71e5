/** Tables that a thread makes when it starts: those of all characters at once agree with what each character is alone. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { CharacterClass, characterTables } from '../../lib/text/characters.js'
import { codesOf } from '../../lib/text/code-units.js'
import { type FoldKernel, makeFoldTables } from '../../lib/text/kernel/fold-tables.js'
import { comparisonForm } from '../../lib/text/kernel/reference-kernel.js'
import { PhraseHits, PhraseIndex } from '../../lib/text/phrase-index.js'
import { TextMemory } from '../../lib/text/text-memory.js'

t.test('the class of every character outside ASCII is that of its Unicode properties', async (t) => {
  const { classes } = characterTables()
  const differing: string[] = []
  for (let code = 0x80; code < 65_536; code++) {
    const wanted = classOf(code)
    if (classes[code] !== wanted) differing.push(`${code.toString(16)}: ${classes[code]} in place of ${wanted}`)
  }
  t.same(differing, [])
})

t.test('settled classes are the classes without those that may compose', async (t) => {
  const { classes, settledClasses } = characterTables()
  t.same(
    settledClasses,
    classes.map((each) => (each === CharacterClass.composed ? CharacterClass.otherLetter : each)),
  )
})

t.test('every code unit folds to its comparison form, or needs String.normalize', async (t) => {
  const { fold, expansions, pictures } = foldTables()
  const differing: string[] = []
  for (let unit = 0; unit < 65_536; unit++) {
    const wanted = foldedForm(unit)
    const found = foldOf(fold[unit] as number, expansions)
    if (found !== wanted) differing.push(`${unit.toString(16)}: ${found} in place of ${wanted}`)
  }
  t.same(differing, [])
  const isDropped = (code: number) => comparisonForm(String.fromCodePoint(code)) === ''
  t.same(
    [...pictures],
    [...pictures].map((_, index) => (isDropped(0x1f000 + index) ? 1 : 0)),
  )
})

t.test('an index finds the longest phrase at each position, from one or two anchors', async (t) => {
  const phrases = ['加微信', '加微信号', '微信', '信号', 'AB', 'ABA', '一二三四五', '二三', '哈哈哈']
  const text = '请加微信号一二三四五ABAB，加微信信号哈哈哈哈，一二三四'
  const codes = codesOf(text)
  const longestAt = (at: number) =>
    phrases.reduce((longest, each) => (text.startsWith(each, at) && each.length > longest.length ? each : longest), '')
  const index = PhraseIndex.of(phrases)
  const wanted = [...text].map((_, at) => longestAt(at))
  const found = [...text].map((_, at) => phrases[index.longestAt(codes, at, codes.length)?.number ?? -1] ?? '')
  t.same(found, wanted)
  const memory = new TextMemory()
  memory.reserveText(codes.length)
  memory.codes.view.set(codes)
  const hits = new PhraseHits(memory, index)
  const count = hits.find(codes.length, 1)
  const positions = [...memory.hits.view.subarray(0, count)]
  t.same(
    positions,
    [...text].flatMap((_, at) => (wanted[at] === '' ? [] : [at])),
  )
  t.same(
    [...memory.marks.view.subarray(0, count)].map((number) => phrases[number]),
    wanted.filter((each) => each !== ''),
  )
  // Every second position is enough for phrases of three and more.
  const long = phrases.filter(({ length }) => length >= 3)
  const sparse = new PhraseHits(
    memory,
    new PhraseIndex(
      long.map((each, number) => ({ text: each, number })),
      2,
    ),
  )
  for (const phrase of long) {
    for (const before of ['', '，']) {
      const padded = codesOf(`${before}${phrase}，，`)
      memory.codes.view.set(padded)
      const number = sparse.find(padded.length, 2) > 0 ? (memory.marks.view[0] as number) : -1
      t.ok(phrase.includes(long[number] ?? '?'), `${phrase} after ${before.length} characters`)
    }
  }
})

/** The class of one character outside ASCII, by its properties alone. */
function classOf(code: number): number {
  const character = String.fromCharCode(code)
  const is = (pattern: RegExp) => pattern.test(character)
  if ((code >= 0x4e00 && code <= 0x9fff) || (code >= 0x3400 && code <= 0x4dbf)) return CharacterClass.han
  if (code >= 0xac00 && code <= 0xd7a3) return CharacterClass.otherLetter
  if (code >= 0xd800 && code <= 0xdbff) return CharacterClass.highSurrogate
  if (code >= 0xdc00 && code <= 0xdfff) return CharacterClass.lowSurrogate
  if (code >= 0xe000 && code <= 0xf8ff) return CharacterClass.symbol
  if (code === 0x85 || code === 0x2028 || code === 0x2029) return CharacterClass.newline
  if (isReplaced(code, character)) return CharacterClass.replaced
  const invisible =
    /^(?:\p{Cc}|[\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufdd0-\ufdef\ufeff\ufff0-\ufffb\ufffe\uffff])$/u
  if (is(invisible)) return CharacterClass.dropped
  if (is(/^\p{Zs}$/u)) return CharacterClass.blank
  if (is(/^[。！？｡…]$/u)) return CharacterClass.sentenceEnd
  if (is(/^[”’」』）】》〉〕］｝]$/u)) return CharacterClass.closer
  if (mayCompose(code, character)) return CharacterClass.composed
  if (is(/^\p{Script=Han}$/u)) return is(/^\p{L}$/u) ? CharacterClass.han : CharacterClass.symbol
  if (is(/^[\p{L}\p{M}]$/u)) return CharacterClass.otherLetter
  return is(/^\p{P}$/u) ? CharacterClass.widePunctuation : CharacterClass.symbol
}

function isReplaced(code: number, character: string): boolean {
  if (/^[０-９Ａ-Ｚａ-ｚ]$/u.test(character)) return true
  const compatible = character.normalize('NFKC')
  return code >= 0x2e80 && code <= 0x2fd5 && compatible.length === 1 && compatible !== character
}

function mayCompose(code: number, character: string): boolean {
  if (code >= 0xfe00 && code <= 0xfe0f) return false
  const isLigature = code >= 0xfb00 && code <= 0xfb06
  const isJamo = (code >= 0x1160 && code <= 0x1175) || (code >= 0x11a8 && code <= 0x11c2)
  return isLigature || isJamo || /^\p{M}$/u.test(character) || character.normalize('NFC') !== character
}

function foldTables() {
  const file = new URL('../../lib/text/kernel/kernel.wasm', import.meta.url)
  const { exports } = new WebAssembly.Instance<FoldKernel>(new WebAssembly.Module(readFileSync(file)))
  const { buffer } = makeFoldTables(exports)
  const from = exports.foldBase.value
  return {
    fold: new Uint16Array(buffer, 0, 65_536),
    expansions: new Uint16Array(buffer, exports.expansionBase.value - from, 4 * 2046),
    pictures: new Uint8Array(buffer, exports.pictureBase.value - from, 3072),
  }
}

/** Reads an entry of the table as `foldedForm` returns it. */
function foldOf(entry: number, expansions: Uint16Array): string | number {
  if (entry === 0) return ''
  if (entry === 0xdffe || entry === 0xdfff) return entry
  if (entry < 0xd800 || entry > 0xdfff) return String.fromCharCode(entry)
  const from = 4 * (entry - 0xd800)
  return String.fromCharCode(...expansions.subarray(from, from + 4).filter((each) => each !== 0))
}

/** What a code unit folds to: a text, or the mark that it is a picture's first half (0xdffe) or needs String.normalize (0xdfff). */
function foldedForm(unit: number): string | number {
  if (unit >= 0xd83c && unit <= 0xd83e) return 0xdffe
  if (unit >= 0xd800 && unit <= 0xdfff) return 0xdfff
  const character = String.fromCharCode(unit)
  const first = String.fromCodePoint(character.normalize('NFKD').codePointAt(0) as number)
  if (/^[\u{1161}-\u{1175}\u{11a8}-\u{11c2}]$/u.test(first)) return 0xdfff
  if (/^\p{M}$/u.test(first) && !/^(?:\p{Me}|[\u{fe00}-\u{fe0f}])$/u.test(first)) return 0xdfff
  const form = comparisonForm(character)
  return form.length > 4 ? 0xdfff : form
}
