/** Options of the filters of instructions and outputs: how replies are read, and their bounds. */
import { z } from 'zod'

const reading = z
  .enum(['repaired', 'published'])
  .default('repaired')
  .describe(
    'repaired: repairs replies, and makes checks of its own; published: cuts them at <|endoftext|> and </s>, looks for keywords in the raw reply, and checks these fields only',
  )
export type ReadingName = z.output<typeof reading>

export const instructionFilterOptions = z.strictObject({
  reading,
  keywords: z.array(z.string().min(1)).default([]).describe('An instruction with one of these words is dropped'),
  charsMin: z.int().min(1).default(4).describe('Characters an instruction has at least'),
  charsMax: z.int().min(1).default(400).describe('Characters an instruction has at most'),
  hanShareMin: z.number().min(0).max(1).default(0.2).describe('Share of Chinese characters among its letters'),
  selfContained: z.boolean().default(true).describe('Drop an instruction that points at what its reader cannot see'),
})
export type InstructionFilterOptions = z.output<typeof instructionFilterOptions>

export const outputFilterOptions = z.strictObject({
  reading,
  keywords: z.array(z.string().min(1)).default([]).describe('An output with one of these words is dropped'),
  charsMin: z.int().min(0).default(20).describe('Characters an output has at least'),
  hanShareMin: z.number().min(0).max(1).default(0.3).describe('Share of Chinese characters among its letters'),
  repetition: z.boolean().default(true).describe('Drop an output that starts with one unit more than 5 times in a row'),
})
export type OutputFilterOptions = z.output<typeof outputFilterOptions>
