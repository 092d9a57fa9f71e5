/**
 * Messages in the language of the process. Never for what a dataset, statistics or a log contains: their bytes do not depend
 * on the language.
 */
import { processLanguage } from './language.js'
import { type Catalogue, fillTemplate, templateParts } from './template.js'

/** Loaded only when it is used: English needs none. */
const catalogue: Catalogue | null = processLanguage() === 'zh' ? (await import('./zh/index.js')).zh : null

/** Tag of a template literal: `` say`no file matches ${glob}` ``. One template holds a whole sentence. */
export function say(parts: TemplateStringsArray, ...values: readonly unknown[]): string {
  return fillTemplate(catalogue, templateParts(parts), values)
}

/** Returns the translation of a text that is a key as it is: a description of an option or of a command. */
export function translated(text: string): string {
  return catalogue?.[text] ?? text
}

/** Returns a number with its noun: '3 rows', '3 行'. The noun is part of the key `{0} rows`. */
export function numbered(digits: string, noun: string): string {
  return fillTemplate(catalogue, ['', ` ${noun}`], [digits])
}
