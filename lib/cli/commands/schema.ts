/** `kun-stream schema`: prints the JSON Schema of recipes, with which editors complete and check them. */
import type { Command } from 'commander'
import { say } from '../../language/say.js'
import { writeOut } from '../terminal/output.js'

export function registerSchema(program: Command): void {
  program
    .command('schema')
    .description(say`print the JSON Schema of recipes, for editors`)
    .action(async () => {
      const { recipeJsonSchema } = await import('../../recipe/json-schema.js')
      writeOut(`${JSON.stringify(recipeJsonSchema(), null, 2)}\n`)
    })
}
