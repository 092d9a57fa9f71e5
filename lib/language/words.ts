/** Texts in a language that the caller chooses, for what exists in both at once, such as the card of a dataset. */
import { type Catalogue, fillTemplate, templateParts } from './template.js'

export interface Words {
  /** As `say`, in this language. */
  readonly say: (parts: TemplateStringsArray, ...values: readonly unknown[]) => string
  /** As `translated`, in this language. */
  readonly translated: (text: string) => string
}

/** @param catalogue null for English */
export function wordsOf(catalogue: Catalogue | null): Words {
  return {
    say: (parts, ...values) => fillTemplate(catalogue, templateParts(parts), values),
    translated: (text) => catalogue?.[text] ?? text,
  }
}
