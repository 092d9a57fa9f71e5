/**
 * Translation of a template. The key is the English text with `{0}`, `{1}`… for its values, so that a message reads as a
 * sentence where it is used; docs/decisions/languages.md has the reason.
 */

/** English key → text with the same placeholders, in any order. */
export type Catalogue = Readonly<Record<string, string>>

/**
 * Returns the parts of a template as they are meant: a line break in the source, with the spaces around it, is one space, so that
 * a long message can stand on several lines; `\\n` stays a line break.
 */
export function templateParts(parts: TemplateStringsArray): readonly string[] {
  if (!parts.raw.some((part) => part.includes('\n'))) return parts
  return parts.raw.map((part) =>
    part.replace(/ *\n */g, ' ').replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped)),
  )
}

/** Returns the key of a template: 'no file matches {0}' of `no file matches ${glob}`. */
export function templateKey(parts: readonly string[]): string {
  return parts.map((part, at) => (at === 0 ? part : `{${at - 1}}${part}`)).join('')
}

/** Returns the English text if the catalogue lacks the key: a missing translation must not hide a message. */
export function fillTemplate(
  catalogue: Catalogue | null,
  parts: readonly string[],
  values: readonly unknown[],
): string {
  const translation = catalogue?.[templateKey(parts)]
  if (translation === undefined) return parts.map((part, at) => (at === 0 ? part : `${values[at - 1]}${part}`)).join('')
  return translation.replace(/\{(\d+)\}/g, (_, at) => String(values[Number(at)]))
}
