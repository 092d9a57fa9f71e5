/** What each case must show, by the name of its folder: patterns of its whole output that must and must not occur. */

/** Patterns are tested against the case's output, one string with line ends. */
export interface Expected {
  /** What a person reading the output should see. */
  readonly means: string
  readonly shows: readonly RegExp[]
  readonly hides?: readonly RegExp[]
}

const neverABug = /bug in kun-stream|UnhandledPromise|\n {4}at /

export const expectedByCase: Readonly<Record<string, Expected>> = {
  '01-finish-reason-abort': {
    means: 'half a sentence is retried, then rejected',
    shows: [/contains no rows|rows +0/, /polish\/[\w-]+/],
  },
  '01b-finish-reason-abort-stream': {
    means: 'half a streamed sentence is retried, then rejected',
    shows: [/contains no rows|rows +0/, /polish\/[\w-]+/],
  },
  '01c-finish-reason-content-filter': {
    means: 'a reply that a filter cut off is retried, then rejected',
    shows: [/contains no rows|rows +0/, /polish\/[\w-]+/],
  },
  '02-reasoning-tags-seed': {
    means: 'thoughts are taken out',
    shows: [/rows +24/, /output +编号/],
    hides: [/seed:think/, /先想一想/],
  },
  '02c-ernie': {
    means: 'thoughts and the response tags are taken out',
    shows: [/rows +24/, /output +编号/],
    hides: [/<\/?response>/, /<\/think>/, /想一想/],
  },
  '03-fffd-in-reply': {
    means: 'a reply with U+FFFD is retried, then rejected',
    shows: [/contains no rows|rows +0/, /polish\/[\w-]+/],
    hides: [/\brow 1\b/],
  },
  '04-error-in-200': {
    means: 'the run stops, resumable, with the words of the server',
    shows: [/upstream GPU pool exhausted/, /exit code 3/],
    hides: [/no model server responded/],
  },
  '04b-error-in-200-one-record': {
    means: 'one record is rejected as too long for the context, the others become rows',
    shows: [/rows +23/, /label\/context-length/],
  },
  '05-max-logprobs-5': {
    means: 'five log-probabilities are used, and said',
    shows: [/rows +24/, /\b5\b.*log-?prob|log-?prob.*\b5\b/i, /score_kind logprob/, /exit code 0/],
  },
  '07-no-usage-tokensMax': {
    means: 'tokens are estimated and the limit stops the run',
    shows: [/estimat/i, /exit code 3/],
  },
  '08-503-loading-model': {
    means: 'a loading server is waited for, with a line',
    shows: [/[Ll]oading/, /rows +24/, /exit code 0/],
  },
  '09-parquet-mixed-columns': {
    means: 'the odd shard is one reject; or it is taken out and the run resumes',
    shows: [/exit 0/, /rows +\d/],
    hides: [/exit [12]\b/],
  },
  '10-parquet-invalid-utf8': {
    means: 'the record is rejected as invalid-utf8',
    shows: [/invalid-utf8 1/],
  },
  '11-file-name-not-utf8': {
    means: 'the file is read, or is one reject; the other is read',
    shows: [/./],
  },
  '12-tar-gnu-sparse': {
    means: 'the records of the sparse member are read, or one reject counts it',
    shows: [/documents +(?:1[1-9]|2\d)/],
  },
  '13-dangling-symlink': {
    means: 'plan and run name the link to nothing',
    shows: [/b\.jsonl/],
  },
  '14-hf-home-tilde': {
    means: 'the token is found below HF_HOME with a tilde',
    shows: [/HF_HOME=~\/hf:\n(?:.*\n)?would write/],
    hides: [/Publishing needs a token/],
  },
  '15-token-not-hf': {
    means: 'the token is sent to the mirror',
    shows: [/127\.0\.0\.1:9/],
    hides: [/does not begin with hf_/, /huggingface\.co\/settings/],
  },
  '17-zstd-long31': {
    means: 'a long window names the switch, a dictionary frame is named',
    shows: [/dictionary/i, /window/i],
    hides: [/the frame is corrupt/],
  },
  '18-v1-context-wording': {
    means: 'rejected as too long for the context',
    shows: [/label\/context-length/, /exit code 0/],
  },
  '19-stream-done-without-finish': {
    means: 'no row, and the words say what the stream lacked',
    shows: [/finish/i, /exit code 3/],
    hides: [/no model server responded/, /\brow 1\b/],
  },
  '20-sighup': {
    means: 'the run drains and onExit runs',
    shows: [/exit 3/],
    hides: [/exit 129/],
  },
}

/** Must not occur in the output of any case. */
export const hiddenEverywhere: readonly RegExp[] = [neverABug]
