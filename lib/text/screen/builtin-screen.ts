/** Loads the built-in classifier, which is part of the code so that a thread needs no file. */
import { inflateRawSync } from 'node:zlib'
import { ContractError } from '../../errors.js'
import { builtinWeights } from './builtin-weights.js'
import { decodeScreen, type ScreenClassifier } from './classifier.js'

/** Returns a classifier for one thread. */
export function loadBuiltinScreen(): ScreenClassifier {
  const decoded = decodeScreen(inflateRawSync(Buffer.from(builtinWeights, 'base64')))
  if (typeof decoded === 'string') throw new ContractError(`the built-in screen is damaged: ${decoded}`)
  return decoded
}
