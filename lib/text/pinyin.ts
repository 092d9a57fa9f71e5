/** Recognizes a syllable of Chinese in Latin letters, without tones. */

const initials = ['zh', 'ch', 'sh', ...'bpmfdtnlgkhjqxrzcsyw']
const finals = new Set(
  'a o e ai ei ao ou an en ang eng ong i ia ie iao iu ian in iang ing iong u ua uo uai ui uan un uang ue v ve er'.split(
    ' ',
  ),
)

/** Letters of the longest syllable, zhuang. */
export const syllableCharsMax = 6

/** Whether lower-case letters spell one syllable: an initial, or none, and a final. */
export function isSyllable(letters: string): boolean {
  const initial = initials.find((each) => letters.startsWith(each)) ?? ''
  return finals.has(letters.slice(initial.length))
}
