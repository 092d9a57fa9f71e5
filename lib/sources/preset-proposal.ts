/** Recognises a known corpus by its fields or by its name. Pure. */
import type { presets } from './presets.js'

type Preset = keyof typeof presets

/** Fields that only the records of the corpus have, and its usual names. */
const marks: Readonly<Record<Preset, { readonly fields: readonly string[]; readonly name: RegExp }>> = {
  wudao: { fields: ['uniqueKey', 'titleUkey', 'content'], name: /wudao/i },
  wanjuan: { fields: ['q_main', 'std_ans'], name: /wan-?juan/i },
  skypile: { fields: [], name: /sky-?pile/i },
}

/** Fields that the preset needs, if it is recognised by its name. */
const needed: Readonly<Record<Preset, readonly string[]>> = {
  wudao: ['content', 'uniqueKey'],
  wanjuan: ['id', 'content'],
  skypile: ['text'],
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
