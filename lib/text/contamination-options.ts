/** Options of `prepare.decontaminate`. Apart from contamination.ts, so that threads need not load the schemas. */
import { z } from 'zod'

/**
 * 13 as in GPT-3 (arXiv 2005.14165, appendix C: 13-grams of words, as the longest of its lengths) and EvalWeb (arXiv
 * 2311.01149: 13-grams of characters). 13 Chinese characters are about 8 words, the shortest length of GPT-3. Half of
 * the n-grams: a question that was copied with its figures or names replaced is still found, a common stem is not.
 */
export const decontaminationOptions = z.strictObject({
  files: z
    .array(z.string().min(1))
    .min(1)
    .describe('CSV, TSV, JSON Lines, JSON or Parquet files with test items, by globs; run.json pins their content'),
  fields: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'Fields with the text of an item, each compared by itself; by default the first of question, problem, prompt, instruction, query, input, text, 题目, 问题',
    ),
  gramChars: z
    .int()
    .min(5)
    .max(64)
    .default(13)
    .describe('Letters and digits of an n-gram; an item with fewer is too general to be looked for'),
  shareMin: z.number().gt(0).max(1).default(0.5).describe('Least share of the n-grams of an item that a text has'),
})
export type DecontaminationOptions = z.output<typeof decontaminationOptions>
