/**
 * How many tokens a text comes to: a calibrated estimate, which costs one addition a character that is not Han,
 * or exactly, from a `tokenizer.json` on disk.
 */
import { readFile } from 'node:fs/promises'
import { Tokenizer } from '@huggingface/tokenizers'
import { InvalidOptionError } from '../errors.js'
import { CharacterClass, characterClassCount } from './characters.js'

/** Exact count of one text, special tokens not included. */
export type TokenCounter = (text: string) => number

/** Tokens of one Han character, in hundredths. */
export const hanCentiTokens = 75

/** Tokens of one code unit by class, in hundredths. */
export const centiTokensByClass: Int32Array = (() => {
  const weights = new Int32Array(characterClassCount).fill(100)
  weights[CharacterClass.han] = hanCentiTokens
  weights[CharacterClass.cue] = hanCentiTokens
  weights[CharacterClass.latin] = 30
  weights[CharacterClass.letterW] = 30
  weights[CharacterClass.digit] = 60
  weights[CharacterClass.blank] = 10
  weights[CharacterClass.otherLetter] = 80
  return weights
})()

/**
 * Loads a tokenizer from `path`, the `tokenizer.json` of a model; `tokenizer_config.json` beside it is read when there.
 *
 * @throws {InvalidOptionError} the file is missing or is no tokenizer
 */
export async function loadTokenCounter(path: string): Promise<TokenCounter> {
  try {
    const tokenizer = new Tokenizer(JSON.parse(await readFile(path, 'utf8')), await readConfig(path))
    return (text) => tokenizer.encode(text, { add_special_tokens: false }).ids.length
  } catch (cause) {
    throw new InvalidOptionError(
      `The tokenizer at ${path} could not be loaded: ${(cause as Error).message}. Give the tokenizer.json of the model.`,
      { cause, details: { path } },
    )
  }
}

async function readConfig(path: string): Promise<object> {
  const configPath = path.replace(/[^/\\]*$/, 'tokenizer_config.json')
  try {
    return JSON.parse(await readFile(configPath, 'utf8')) as object
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw error
  }
}
