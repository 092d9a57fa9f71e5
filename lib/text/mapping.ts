/** Which fields of a record make a document. Plain data, passed to workers and hashed into run.json. */
export interface FieldMapping {
  /** Field of the text; '' if whole records are read, whatever their fields. */
  readonly text: string
  /** Field of the record's id; without it the key column is ''. */
  readonly id?: string
  readonly title?: string
  /** 'wanjuan-exam': when `text` is missing, composed from question, options, answer and explanation. */
  readonly compose?: 'wanjuan-exam'
}
