/** The three corpora: which fields of their records become a document. Layouts on disk are found from the bytes. */
import type { FieldMapping } from '../text/mapping.js'

/** Field mappings by the name that `preset` takes. */
export const presets: Readonly<Record<'wudao' | 'wanjuan' | 'skypile', FieldMapping>> = {
  /** WuDaoCorpora 2.0 base: id, uniqueKey, titleUkey, dataType, title, content. `id` restarts in every part. */
  wudao: { text: 'content', id: 'uniqueKey', title: 'title' },
  /** WanJuan 1.0: id, content; Exam-cn has no content and is composed from question, options and answer. */
  wanjuan: { text: 'content', id: 'id', compose: 'wanjuan-exam' },
  /** SkyPile-150B: text alone; shard and offset identify a record. */
  skypile: { text: 'text' },
}
