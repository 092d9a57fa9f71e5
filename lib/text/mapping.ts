/** The mapping of a source: plain data, which travels with its blocks. */
import type { QualityOptions } from './quality-options.js'

/** Which fields of a record make a document, and bounds of its filters. Plain data, passed to workers and hashed into run.json. */
export interface FieldMapping {
  /** Field of the text; '' if whole records are read, whatever their fields. */
  readonly text: string
  /** Field of the record's id; without it the key column is ''. */
  readonly id?: string
  readonly title?: string
  /** 'wanjuan-exam': when `text` is missing, composed from question, options, answer and explanation. */
  readonly compose?: 'wanjuan-exam'
  /** Bounds of filters in place of those of the plan: of the kind of the source, and of the source itself. */
  readonly quality?: Partial<QualityOptions>
}
