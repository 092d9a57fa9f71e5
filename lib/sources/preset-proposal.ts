/** Recognises a known corpus by its fields or by its name. Pure. */
import type { presets } from './presets.js'

type Preset = keyof typeof presets

/** Fields that only the records of the corpus have, and its usual names. */
const marks: Readonly<Record<Preset, { readonly fields: readonly string[]; readonly name: RegExp }>> = {
  wudao: { fields: ['uniqueKey', 'titleUkey', 'content'], name: /wudao/i },
  wanjuan: { fields: ['q_main', 'std_ans'], name: /wan-?juan/i },
  skypile: { fields: [], name: /sky-?pile/i },
  cci: { fields: [], name: /cci/i },
  'cci3-hq': { fields: [], name: /cci-?3(?:\.0)?-?hq/i },
  chinesewebtext: { fields: ['title', 'score', 'text', 'url', 'source_domain'], name: /chinesewebtext/i },
  chinesewebtext2: { fields: ['text', 'domain', 'toxicity', 'quality_score'], name: /chinesewebtext-?2/i },
  'fineweb-edu-chinese': { fields: [], name: /fineweb-?edu-?chinese|chinese-?fineweb-?edu/i },
  fineweb2: { fields: ['text', 'id', 'dump', 'language_score', 'language_script'], name: /fineweb-?2/i },
  'map-cc': { fields: [], name: /map-?cc/i },
  mc4: { fields: [], name: /mc4|c4-zh/i },
  'telechat-ptd': { fields: [], name: /telechat-?ptd/i },
  'ultra-fineweb': { fields: [], name: /ultra-?fineweb/i },
  wikipedia: { fields: [], name: /wikipedia|zhwiki/i },
}

/** Fields that the preset needs, if it is recognised by its name. */
const needed: Readonly<Record<Preset, readonly string[]>> = {
  wudao: ['content', 'uniqueKey'],
  wanjuan: ['id', 'content'],
  skypile: ['text'],
  cci: ['id', 'content'],
  'cci3-hq': ['text'],
  chinesewebtext: ['text', 'title', 'url'],
  chinesewebtext2: ['text', 'quality_score'],
  'fineweb-edu-chinese': ['text'],
  fineweb2: ['text', 'id'],
  'map-cc': ['text'],
  mc4: ['text', 'url'],
  'telechat-ptd': ['data'],
  'ultra-fineweb': ['content'],
  wikipedia: ['id', 'title', 'text'],
}

/** @param names of the dataset and its files · @returns null for an unknown corpus */
export function proposePreset(
  records: readonly Readonly<Record<string, unknown>>[],
  names: readonly string[],
): Preset | null {
  const [first] = records
  if (first === undefined) return null
  const has = (fields: readonly string[]) => fields.every((field) => Object.hasOwn(first, field))
  for (const [preset, { fields, name }] of Object.entries(marks) as [Preset, (typeof marks)[Preset]][]) {
    if (fields.length > 0 && has(fields)) return preset
    if (has(needed[preset]) && names.some((each) => name.test(each))) return preset
  }
  return null
}
