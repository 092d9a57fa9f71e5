import { Buffer } from 'node:buffer'
import t from 'tap'
import { basicIdeographs } from '../../lib/text/basic-ideographs.js'
import { HanSet, hanSets } from '../../lib/text/han-sets.js'

/** The characters of a double-byte encoding with lead bytes [from, to] and these trail bytes. */
function charactersOf(encoding: string, from: number, to: number, trails: readonly number[]): string[] {
  const decoder = new TextDecoder(encoding)
  const leads = Array.from({ length: to - from + 1 }, (_, index) => from + index)
  return leads.flatMap((lead) => trails.map((trail) => decoder.decode(Uint8Array.of(lead, trail))))
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)

t.test('The common ideographs are those of GB 2312 and of level 1 of Big5', async (t) => {
  const expected = new Uint8Array(Buffer.from(basicIdeographs, 'base64').length)
  const characters = [
    ...charactersOf('gb18030', 0xb0, 0xf7, range(0xa1, 0xfe)),
    ...charactersOf('big5', 0xa4, 0xc6, [...range(0x40, 0x7e), ...range(0xa1, 0xfe)]),
  ]
  for (const character of characters) {
    const place = character.charCodeAt(0) - 0x4e00
    if (character.length !== 1 || place < 0 || place >= 8 * expected.length) continue
    expected[place >>> 3] = (expected[place >>> 3] as number) | (1 << (place & 7))
  }
  t.equal(Buffer.from(expected).toString('base64'), basicIdeographs)
})

t.test('Every code unit is in one set', async (t) => {
  const sets = hanSets()
  const setOf = (character: string) => sets[character.charCodeAt(0)]
  for (const character of '的了她們嘅矣') t.equal(setOf(character), HanSet.functionWord, character)
  for (const character of '龘靐齾鎮燚'.replace('鎮', '')) t.equal(setOf(character), HanSet.rare, character)
  for (const character of '\ufffd\ue123锟鐨') t.equal(setOf(character), HanSet.garbled, character)
  for (const character of 'あアｱ') t.equal(setOf(character), HanSet.kana, character)
  for (const character of '한글') t.equal(setOf(character), HanSet.hangul, character)
  for (const character of '山水a1，・ー鎮') t.equal(setOf(character), HanSet.other, character)
})
