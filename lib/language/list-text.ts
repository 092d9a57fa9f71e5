/** Lists in a sentence of the process's language. */
import { processLanguage } from './language.js'

/** Joins the items of a list: by commas, in Chinese by the mark for lists. */
export function listText(items: readonly string[]): string {
  return items.join(processLanguage() === 'zh' ? '、' : ', ')
}
