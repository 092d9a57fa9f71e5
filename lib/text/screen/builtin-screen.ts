/** Loads the built-in classifier, which is part of the code so that a thread needs no file. */
import { inflateRawSync } from 'node:zlib'
import { ContractError } from '../../errors.js'
import type { TextMemory } from '../text-memory.js'
import { builtinWeights } from './builtin-weights.js'
import { decodeScreen, type ScreenClassifier, type ScreenHeader } from './classifier.js'

/** Returns a classifier for one thread. @param memory of its texts */
export function loadBuiltinScreen(memory?: TextMemory): ScreenClassifier {
  const bytes = inflateRawSync(Buffer.from(builtinWeights, 'base64'))
  // Part of the code: its header needs no check.
  const decoded = decodeScreen(bytes, (header) => header as ScreenHeader, memory)
  if (typeof decoded === 'string') throw new ContractError(`the built-in screen is damaged: ${decoded}`)
  return decoded
}
