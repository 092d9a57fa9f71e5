/**
 * Field mappings of known corpora. File formats are detected from the bytes. Where the names of the fields come from:
 * docs/sources.md, whose table a test compares with this file.
 */

import { kindBounds, type TextKind } from '../text/filters/kinds.js'
import type { FieldMapping } from '../text/mapping.js'
import type { QualityOptions } from '../text/quality-options.js'

export const presetNames = [
  'wudao',
  'wanjuan',
  'skypile',
  'cci',
  'cci3-hq',
  'chinesewebtext',
  'chinesewebtext2',
  'fineweb-edu-chinese',
  'fineweb2',
  'map-cc',
  'mc4',
  'telechat-ptd',
  'ultra-fineweb',
  'wikipedia',
] as const
export type SourcePreset = (typeof presetNames)[number]

/** Field mappings by the name of the preset. */
export const presets: Readonly<Record<SourcePreset, FieldMapping>> = {
  /** WuDaoCorpora 2.0 base: id, uniqueKey, titleUkey, dataType, title, content. `id` restarts in every part. */
  wudao: { text: 'content', id: 'uniqueKey', title: 'title' },
  /** WanJuan 1.0: id, content; Exam-cn has no content: its text is composed from question, options and answer. */
  wanjuan: { text: 'content', id: 'id', compose: 'wanjuan-exam' },
  /** SkyPile-150B: text only; shard and offset identify a record. */
  skypile: { text: 'text' },
  /** CCI 2.0: id, content; CCI 3.0: also meta_info. */
  cci: { text: 'content', id: 'id' },
  /** CCI 3.0 HQ: id, text, score. */
  'cci3-hq': { text: 'text', id: 'id' },
  /** ChineseWebText: title, score, text, url, source_domain. */
  chinesewebtext: { text: 'text', id: 'url', title: 'title' },
  /** ChineseWebText 2.0: text, domain, toxicity, quality_score. */
  chinesewebtext2: { text: 'text' },
  /** Chinese FineWeb Edu V1 to V2.2: text, score, source. */
  'fineweb-edu-chinese': { text: 'text' },
  /** FineWeb2 (data/cmn_Hani): text, id, dump, url, date, …. */
  fineweb2: { text: 'text', id: 'id' },
  /** MAP-CC: text; its files are parts of one gzip file, which must be joined. */
  'map-cc': { text: 'text' },
  /** mC4 (zh): text, timestamp, url. */
  mc4: { text: 'text', id: 'url' },
  /** TeleChat-PTD: data only. */
  'telechat-ptd': { text: 'data' },
  /** Ultra-FineWeb (zh): content, score, source. */
  'ultra-fineweb': { text: 'content' },
  /** Wikipedia of Wikimedia (20231101.zh): id, url, title, text. */
  wikipedia: { text: 'text', id: 'id', title: 'title' },
}

/** Fields of a record; all optional. */
export interface FieldOptions {
  readonly preset?: SourcePreset | undefined
  /** Field of the text, in place of the preset's; 'text' without one. */
  readonly text?: string | undefined
  /** Field of the record's own id. */
  readonly id?: string | undefined
  /** Field of the title. */
  readonly title?: string | undefined
}

/** Returns the mapping of a preset, with its fields overridden by the given ones. */
export function mappingOf({ preset, text, id, title }: FieldOptions): FieldMapping {
  const base = preset === undefined ? { text: 'text' } : presets[preset]
  return {
    ...base,
    ...(text !== undefined && { text }),
    ...(id !== undefined && { id }),
    ...(title !== undefined && { title }),
  }
}

/** Kinds of corpora that have only one; others are of the kind 'web' unless the recipe says otherwise. */
const presetKinds: Partial<Record<SourcePreset, TextKind>> = { wikipedia: 'encyclopedia' }

/** Returns the bounds of filters of a source: those of its kind, overridden by its own; undefined if it has none. */
export function boundsOf(
  preset: SourcePreset | undefined,
  kind: TextKind | undefined,
  own: Partial<QualityOptions> = {},
): Partial<QualityOptions> | undefined {
  const given = kind ?? (preset === undefined ? undefined : presetKinds[preset])
  const bounds = { ...(given !== undefined && kindBounds[given]), ...own }
  return Object.keys(bounds).length === 0 ? undefined : bounds
}
