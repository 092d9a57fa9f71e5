/** Recognizes a syllable of Chinese in Latin letters. */

const initials = ['zh', 'ch', 'sh', ...'bpmfdtnlgkhjqxrzcsyw']
const finals = new Set(
  'a o e ai ei ao ou an en ang eng ong i ia ie iao iu ian in iang ing iong u ua uo uai ui uan un uang ue v ve er'.split(
    ' ',
  ),
)

/** Letters of the longest syllable, zhuang. */
export const syllableCharsMax = 6

/** Vowels with tone marks, four of each. */
const toned = 'āáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜ'
const plain = 'aeiouv'

/**
 * Whether lower-case letters spell one syllable: an initial, or none, and a final.
 *
 * @param tones accept tone marks too
 */
export function isSyllable(letters: string, tones: boolean): boolean {
  const bare = tones
    ? letters.replace(/[à-ǜ]/g, (vowel) => plain[Math.floor(toned.indexOf(vowel) / 4)] ?? vowel)
    : letters
  const initial = initials.find((each) => bare.startsWith(each)) ?? ''
  return finals.has(bare.slice(initial.length))
}

/** Whether codes[start … end), at most `syllableCharsMax`, are lower-case letters that spell one syllable. */
export function isSyllableAt(codes: Uint16Array, start: number, end: number): boolean {
  let key = 0
  for (let at = start; at < end; at++) {
    const letter = (codes[at] as number) - 0x60
    if (letter < 1 || letter > 26) return false
    key = key * 32 + letter
  }
  return syllableKeys.has(key)
}

/** Every syllable as a number: five bits a letter. */
const syllableKeys: ReadonlySet<number> = new Set(
  ['', ...initials]
    .flatMap((initial) => [...finals].map((final) => initial + final))
    .filter((letters) => isSyllable(letters, false))
    .map((letters) => [...letters].reduce((key, letter) => key * 32 + letter.charCodeAt(0) - 0x60, 0)),
)
