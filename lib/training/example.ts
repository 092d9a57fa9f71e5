/** Records of training data, before they have a form. */

/** One exchange: what a user asks and what the assistant replies. */
export interface Example {
  readonly instruction: string
  readonly output: string
  /** System prompt; '' for none. */
  readonly system: string
}

/** An exchange with a second, less preferred reply to the same instruction. */
export interface Preference extends Example {
  readonly rejected: string
}
