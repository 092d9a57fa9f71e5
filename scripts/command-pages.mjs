// Writes the generated parts of docs/commands, in both languages, and begins the page of a new command. Build first.
import { writePages } from '../dist/test/support/command-pages.js'

const missing = await writePages()
for (const path of missing)
  console.log(`${path} is new: write what the command is for, examples with their output, exit codes`)
