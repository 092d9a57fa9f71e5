// Compiles lib/text/kernel/assembly/*.ts (AssemblyScript) to WebAssembly under dist/lib/text/kernel/.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
if (!existsSync(join(root, 'lib/text/kernel/assembly/index.ts'))) process.exit(0)
