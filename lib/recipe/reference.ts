/** Generates the tables of all fields in docs/recipe.md from the schema. */
import { recipeOptions } from './schema.js'
import { type Field, fieldsOf } from './schema-tree.js'

/** Returns every field that has a value, in the order of the schema. */
export function recipeFields(): readonly Field[] {
  return fieldsOf(recipeOptions)
}

/** Returns one Markdown table per section of the recipe. */
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
    const fallback = byDefault === '' ? '**required**' : byDefault === 'none' ? 'absent' : `\`${byDefault}\``
    const cells = [`\`${path}\``, description, allowed, fallback, altersOutput ? 'yes' : 'no']
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  })
  const title = name === '' ? '### Top level' : `### ${name}`
  return [
    title,
    '',
    '| field | meaning | allowed | default | alters the output |',
    '|---|---|---|---|---|',
    ...rows,
  ].join('\n')
}
