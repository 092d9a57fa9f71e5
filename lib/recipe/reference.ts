/** Generates the tables of all fields in docs/recipe.md and docs/recipe.zh.md from the schema. */
import { say, translated } from '../language/say.js'
import { translatedAllowed } from './allowed-words.js'
import { recipeOptions } from './schema.js'
import { type Field, fieldsOf } from './schema-tree.js'

/** Returns every field that has a value, in the order of the schema. */
export function recipeFields(): readonly Field[] {
  return fieldsOf(recipeOptions)
}

/** Returns one Markdown table per section of the recipe, in the language of the process. */
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
    const required = `**${translated('required')}**`
    const fallback = byDefault === '' ? required : byDefault === 'none' ? translated('absent') : `\`${byDefault}\``
    const alters = translated(altersOutput ? 'yes' : 'no')
    const cells = [`\`${path}\``, meaning(description), translatedAllowed(allowed), fallback, alters]
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  })
  return [
    `### ${name === '' ? translated('Top level') : name}`,
    '',
    translated('| field | meaning | allowed | default | alters the output |'),
    '|---|---|---|---|---|',
    ...rows,
  ].join('\n')
}

/** Translates a description; those of a filter for one source name its field. */
function meaning(description: string): string {
  const [, field] = /^`([^`]+)` for this source$/.exec(description) ?? []
  return field === undefined ? translated(description) : say`\`${field}\` for this source`
}
