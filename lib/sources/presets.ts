/** Field mappings of the three corpora. File formats are detected from the bytes. */
import type { FieldMapping } from '../text/mapping.js'

/** Field mappings by the name of the preset. */
export const presets: Readonly<Record<'wudao' | 'wanjuan' | 'skypile', FieldMapping>> = {
  /** WuDaoCorpora 2.0 base: id, uniqueKey, titleUkey, dataType, title, content. `id` restarts in every part. */
  wudao: { text: 'content', id: 'uniqueKey', title: 'title' },
  /** WanJuan 1.0: id, content; Exam-cn has no content: its text is composed from question, options and answer. */
  wanjuan: { text: 'content', id: 'id', compose: 'wanjuan-exam' },
  /** SkyPile-150B: text only; shard and offset identify a record. */
  skypile: { text: 'text' },
}

/** Fields of a record; all optional. */
export interface FieldOptions {
  readonly preset?: keyof typeof presets | undefined
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
