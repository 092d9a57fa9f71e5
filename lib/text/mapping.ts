/** How the fields of a record become a document. Plain data: it crosses to workers and is hashed into run.json. */
export interface FieldMapping {
  /** Field of the text. */
  readonly text: string
  /** Field of the record's own id; its shard and offset identify it when absent. */
  readonly id?: string
  readonly title?: string
  /** 'wanjuan-exam': when `text` is missing, composed from question, options, answer and explanation. */
  readonly compose?: 'wanjuan-exam'
}
