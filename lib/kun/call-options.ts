/** Options of every stage that calls a model. */
import { z } from 'zod'

export const modelName = z.string().min(1).describe('The name of one of the models above')
export const sampling = z
  .record(z.string(), z.unknown())
  .default({})
  .describe('Sampling fields as the server knows them, over those of the preset; null leaves a field out')
