/** Options of `prepare.personal`. Apart from documents.ts, so that threads need not load the schemas. */
import { z } from 'zod'

export const personalActions = ['keep', 'mask', 'drop'] as const

/**
 * 'mask' by default: a model that is trained on a number can repeat it, and a text loses nothing else with it. A list of
 * persons, which is nothing but such data, is rejected by its density.
 */
export const personalOptions = {
  personal: z
    .enum(personalActions)
    .default('mask')
    .describe(
      'Identity numbers, bank cards, telephone numbers, e-mail addresses, QQ and WeChat accounts in documents: keep them, mask each as 〔电话〕 or the like, or drop the document',
    ),
  personalPerThousandMax: z
    .union([z.number().min(0), z.literal(false)])
    .default(10)
    .describe(
      'Personal data per thousand characters, above which a document with two or more is dropped unless `personal` is keep; false disables the bound',
    ),
}
