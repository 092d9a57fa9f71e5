/** `kun-stream schema`: prints the JSON Schema of recipes, with which editors complete and check them. */
import type { Command } from 'commander'
import { addCommand } from '../command-summaries.js'
import { writeOut } from '../terminal/output.js'

export function registerSchema(program: Command): void {
  addCommand(program, 'schema').action(async () => {
    const { recipeJsonSchema } = await import('../../recipe/json-schema.js')
    writeOut(`${JSON.stringify(recipeJsonSchema(), null, 2)}\n`)
  })
}
