/** Options of `prepare.chunk`. Apart from chunk.ts, so that threads need not load the schemas. */
import { z } from 'zod'
import { tokenFamilyNames } from './token-families.js'

export const chunkOptions = z.strictObject({
  // COIG-Kun discards texts over 512.
  tokensMax: z.int().min(16).max(1_000_000).default(512).describe('Tokens of a chunk, inclusive'),
  charsMin: z.int().min(1).default(20).describe('Characters (UTF-16 units) of a chunk; a shorter one is rejected'),
  tokensOf: z
    .enum(['auto', 'server', ...tokenFamilyNames])
    .default('auto')
    .describe(
      "Model family whose tokens are estimated; auto: that of the label model's name; server: fitted to /tokenize of its server",
    ),
})

export type ChunkOptions = z.output<typeof chunkOptions>
