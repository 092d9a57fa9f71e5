/** The table of all fields that docs/recipe.md shows, made from the schema: it cannot fall behind. */
import { recipeOptions } from './schema.js'
import { type Field, fieldsOf } from './schema-tree.js'

/** Every field that holds a value, in the order of the schema. */
export function recipeFields(): readonly Field[] {
  return fieldsOf(recipeOptions)
}

/** The reference as Markdown: a table for each section of the recipe. */
export function recipeReference(): string {
  const sections = new Map<string, Field[]>()
  for (const field of recipeFields()) {
    const section = /^[^.[]+/.exec(field.path)?.[0] ?? ''
    const name = section === field.path ? '' : section
    sections.set(name, [...(sections.get(name) ?? []), field])
  }
  return [...sections].map(([name, fields]) => sectionTable(name, fields)).join('\n\n')
}

function sectionTable(name: string, fields: readonly Field[]): string {
  const rows = fields.map(({ path, allowed, byDefault, altersOutput, description }) => {
    const fallback = byDefault === '' ? '**must be given**' : byDefault === 'none' ? 'left out' : `\`${byDefault}\``
    const cells = [`\`${path}\``, description, allowed, fallback, altersOutput ? 'yes' : 'no']
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  })
  const title = name === '' ? '### At the top' : `### ${name}`
  return [
    title,
    '',
    '| field | meaning | allowed | default | alters the output |',
    '|---|---|---|---|---|',
    ...rows,
  ].join('\n')
}
