/**
 * Every reason that kun-stream itself gives to a reject: the word in `rejects/`, its stages, and its meaning.
 * Filters of the user add words of their own. The pages in docs/ are compared with this list by test/reject-reasons.test.ts.
 */

export interface RejectReason {
  /** As in the column `stage` of rejects; 'column' stands for the name of a column of the recipe. */
  readonly stages: readonly string[]
  /** One clause without a full stop. */
  readonly means: string
}

/** Stages whose reply a model gives. */
const calls = ['perplexity', 'screen', 'label', 'score', 'polish', 'pair', 'ifd', 'column'] as const

export const rejectReasons = {
  // A shard, or a part of it.
  'shard-missing': { stages: ['read'], means: 'the file is listed, but has no content' },
  'shard-unreadable': { stages: ['read'], means: 'the file cannot be opened, or is neither JSON nor a known format' },
  'shard-empty': { stages: ['read'], means: 'the file has 0 bytes' },
  'shard-truncated': { stages: ['read'], means: 'the shard ends before its format does' },
  'shard-corrupt': { stages: ['read'], means: 'the shard, or a part of it, does not decode' },
  'shard-unsupported': { stages: ['read'], means: 'the format of the shard is known, but not read' },
  'shard-columns': { stages: ['read'], means: 'the Parquet shard has no column for the text' },
  'shard-too-large': { stages: ['read'], means: 'rows of the Parquet shard decode to more than the limit' },
  'member-unsupported': { stages: ['read'], means: 'the member of the archive is not a plain JSON file' },
  'record-too-large': { stages: ['read'], means: 'the record is over read.recordBytesMax' },

  // A document or a chunk, before any model.
  'invalid-utf8': { stages: ['decode'], means: 'the bytes of the record are not UTF-8' },
  'invalid-json': { stages: ['decode'], means: 'the record is not valid JSON' },
  'no-text': { stages: ['decode', 'clean', 'filter'], means: 'the record has no text, or none is left after cleaning' },
  'too-short': { stages: ['filter', 'chunk'], means: 'the text or the chunk has fewer characters than charsMin' },
  'too-long': { stages: ['filter', 'chunk'], means: 'the text is over charsMax, or the chunk over tokensMax' },
  'url-density': { stages: ['filter'], means: 'too much of the text is addresses' },
  boilerplate: { stages: ['filter'], means: 'too much of the text is navigation and copyright lines' },
  mojibake: { stages: ['filter'], means: 'too much of the text is decoded with the wrong character set' },
  escapes: { stages: ['filter'], means: 'too much of the text is escapes' },
  'foreign-script': { stages: ['filter'], means: 'too much of the text is Japanese or Korean' },
  'rare-han': { stages: ['filter'], means: 'too many of the Chinese characters are rare ones' },
  teaser: { stages: ['filter'], means: 'the rest of the text is elsewhere' },
  gambling: { stages: ['filter'], means: 'the text advertises gambling, or gives tips for it' },
  adult: { stages: ['filter'], means: 'the text advertises sexual content or services' },
  advertising: { stages: ['filter'], means: 'the text is an advertisement' },
  'spun-text': { stages: ['filter'], means: 'the text is written for search engines' },
  'forum-page': { stages: ['filter'], means: 'the text is replies, a form or messages of a site' },
  'symbol-share': { stages: ['filter'], means: 'too much of the text is symbols' },
  'chinese-share': { stages: ['filter'], means: 'too little of the text is Chinese' },
  obfuscated: { stages: ['filter'], means: 'the text is altered against word filters' },
  'character-runs': { stages: ['filter'], means: 'too much of the text is runs of one character' },
  'contact-list': { stages: ['filter'], means: 'the text is a list of telephone numbers or addresses' },
  'data-rows': { stages: ['filter'], means: 'too much of the text is rows of tables or logs' },
  'link-list': { stages: ['filter'], means: 'too much of the text is links and menus' },
  'digit-share': { stages: ['filter'], means: 'too much of the text is digits' },
  'repeated-lines': { stages: ['filter'], means: 'too much of the text is repeated lines' },
  'repeated-ngrams': { stages: ['filter'], means: 'too much of the text is repeated phrases' },
  'keyword-stuffing': { stages: ['filter'], means: 'the text repeats one keyword all the time' },
  'function-words': { stages: ['filter'], means: 'the text has too few function words: a list of words' },
  classifier: { stages: ['filter'], means: 'the built-in classifier takes the text for a page not to train on' },
  'classifier-low': { stages: ['chunk'], means: 'the score of the classifier is under prepare.screen.keepAtLeast' },
  'personal-data': {
    stages: ['filter'],
    means: 'the text has personal data, with prepare.personal: drop, or is a list of it',
  },
  contaminated: {
    stages: ['chunk', 'label', 'polish'],
    means: 'the text contains an item of a benchmark of prepare.decontaminate',
  },
  'unit-poison': {
    stages: ['dedup'],
    means: 'no attempt at its unit succeeded with the record: it was decided to drop it',
  },
  'worker-lost': { stages: ['prepare', 'dedup'], means: 'the record crashed its worker thread' },
  'worker-timeout': { stages: ['prepare'], means: 'the record kept its worker thread past the deadline' },
  'exact-duplicate': { stages: ['dedup'], means: 'the chunk is equal to an earlier one' },
  'near-duplicate': { stages: ['dedup'], means: 'the chunk is similar to an earlier one' },
  'near-duplicate-unverified': { stages: ['dedup'], means: 'the chunk is probably similar to an earlier one' },

  // Text that a model wrote.
  'instruction-too-short': { stages: ['label'], means: 'the instruction has too few characters' },
  'instruction-too-long': { stages: ['label', 'polish'], means: 'the instruction has too many characters' },
  'instruction-markers': { stages: ['label'], means: 'the instruction contains markers of a prompt' },
  'instruction-not-chinese': { stages: ['label'], means: 'too little of the instruction is Chinese' },
  'instruction-keyword': { stages: ['label'], means: 'the instruction contains an excluded word' },
  'instruction-none': { stages: ['label', 'polish'], means: 'the reply has no instruction, or one without a subject' },
  'instruction-refusal': { stages: ['label'], means: 'the label model refuses or speaks of itself' },
  'instruction-echo': { stages: ['label'], means: 'the instruction repeats the prompt' },
  'instruction-refers': { stages: ['label'], means: 'the instruction points at a text that its reader cannot see' },
  'instruction-copied': { stages: ['label'], means: 'the instruction is a sentence of the text' },
  'instruction-unfinished': { stages: ['label'], means: 'the instruction ends in the middle of a sentence' },
  'instruction-contacts': { stages: ['label'], means: 'the instruction contains contact details or a link' },
  'instruction-personal': { stages: ['label'], means: 'the instruction contains personal data' },
  'duplicate-variant': { stages: ['label'], means: 'another variant of the chunk has the same instruction' },
  'surplus-instructions': {
    stages: ['label'],
    means: 'the reply has more instructions than kun.label.severalInstructionsMax',
  },
  'perplexity-high': {
    stages: ['perplexity'],
    means: 'the perplexity of the text is over its bound in kun.perplexity',
  },
  'perplexity-low': {
    stages: ['perplexity'],
    means: 'the perplexity of the text is under its bound in kun.perplexity',
  },
  'screen-low': { stages: ['screen'], means: 'the grade of the text is under kun.screen.keepAtLeast' },
  'screen-format': { stages: ['screen'], means: 'the reply of the judge is not a grade' },
  'score-low': { stages: ['score'], means: 'the score is under kun.score.keepAtLeast' },
  'score-format': { stages: ['score'], means: 'the reply of the judge is not a score' },
  'instruction-repeats': { stages: ['polish'], means: 'the instruction repeats a line that is not its first' },
  'output-too-short': { stages: ['polish'], means: 'the output has too few characters' },
  'output-repeats': { stages: ['polish'], means: 'the output says something more than once' },
  'output-markers': { stages: ['polish'], means: 'the output contains markers of a prompt' },
  'output-not-chinese': { stages: ['polish'], means: 'too little of the output is Chinese' },
  'output-personal': { stages: ['polish'], means: 'the output contains personal data' },
  'output-keyword': { stages: ['polish'], means: 'the output contains an excluded word' },
  'output-none': { stages: ['polish'], means: 'the reply has no answer' },
  'output-refusal': { stages: ['polish'], means: 'the model refuses or speaks of itself' },
  'output-refers': { stages: ['polish'], means: 'the output points at the text that it was made from' },
  'output-echo': { stages: ['polish'], means: 'the output repeats the prompt or the instruction' },
  'output-placeholder': { stages: ['polish'], means: 'the output has places to be filled in' },
  'output-contacts': { stages: ['polish'], means: 'the output contains contact details or a link' },
  'output-unfinished': { stages: ['polish'], means: 'the output ends in the middle of a sentence' },

  'output-unsupported': { stages: ['polish'], means: 'too little of the output is in its text' },
  'output-unsupported-facts': { stages: ['polish'], means: 'too few numbers and names of the output are in its text' },
  'output-copied': { stages: ['polish'], means: 'too much of the output is copied from its text' },
  'output-length-ratio': { stages: ['polish'], means: 'the output is too short or too long for its text' },
  'pair-low': { stages: ['pair'], means: 'a grade of the pair is under its bound in kun.pair' },
  'pair-format': { stages: ['pair'], means: 'the reply of the judge is not a grade' },
  'ifd-high': { stages: ['ifd'], means: 'the instruction helps too little to predict the answer' },
  'ifd-low': { stages: ['ifd'], means: 'the instruction helps too much to predict the answer' },
  'answer-perplexity-high': { stages: ['ifd'], means: 'the perplexity of the answer is over its bound in kun.ifd' },
  'column-format': { stages: ['column'], means: 'the reply has no value of the type of the column' },
  'column-low': { stages: ['column'], means: 'the number is under keepIf.min' },
  'column-high': { stages: ['column'], means: 'the number is over keepIf.max' },
  'column-value': { stages: ['column'], means: 'the value is not in keepIf.in, or is in keepIf.notIn' },
  'duplicate-instruction': {
    stages: ['dedup-instructions'],
    means: 'an earlier row of the cut has the same instruction, or one like it',
  },

  // A call without a usable reply.
  'cut-off-reply': { stages: calls, means: 'the reply ended at the limit of tokens' },
  'filtered-reply': { stages: calls, means: 'the reply was withheld or cut by a filter of the server' },
  'aborted-reply': { stages: calls, means: 'the server broke the reply off' },
  'unfinished-reply': { stages: calls, means: 'the reply has no known finish reason' },
  'empty-reply': { stages: calls, means: 'the reply has no text' },
  'only-thoughts-reply': { stages: calls, means: 'the reply has thoughts and no answer' },
  'thought-markers-reply': { stages: calls, means: 'the answer cannot be told from the thoughts' },
  'damaged-reply': { stages: calls, means: 'the reply contains damaged or invisible characters' },
  'looping-reply': { stages: calls, means: 'the reply repeats one unit over and over' },
  'logprobs-reply': {
    stages: ['perplexity', 'screen', 'score', 'pair', 'ifd'],
    means: 'the reply has no valid log-probabilities',
  },
  'secret-reply': { stages: calls, means: 'the reply contained a secret of this run' },
  'context-length': { stages: calls, means: 'the text is over the context of the model' },
  'content-refused': { stages: calls, means: 'the server refused the content' },
  refused: { stages: calls, means: 'the server refuses this request, and accepts others of its form' },
  deadline: { stages: calls, means: 'this request ended at its deadline every time, others did not' },
  'server-error': { stages: calls, means: 'this request failed every time, others did not' },
} as const satisfies Readonly<Record<string, RejectReason>>

export type RejectReasonName = keyof typeof rejectReasons

/** Returns the meaning of a reason; null for a reason of a custom filter. */
export function reasonMeaning(reason: string): string | null {
  return Object.hasOwn(rejectReasons, reason) ? rejectReasons[reason as RejectReasonName].means : null
}
