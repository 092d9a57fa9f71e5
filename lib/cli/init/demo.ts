/** Copies the packaged demonstration, recipe and made-up corpus, to a folder: it runs without a GPU, a model or a clone. */
import { existsSync } from 'node:fs'
import { cp, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { UsageError } from '../../errors.js'
import { say } from '../../language/say.js'

/** Folder of the package: with recipes/ and fixtures/. */
export function packageFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  return folder
}

const corpora = ['wudao', 'wanjuan', 'skypile'] as const

/**
 * Writes the recipe to `file`, and the corpus to the folder `demo-data`.
 *
 * @throws {UsageError} one of them exists, and `force` is not set
 */
export async function writeDemo(file: string, schema: string, force: boolean): Promise<void> {
  const data = 'demo-data'
  for (const path of [file, data]) {
    if (!force && existsSync(path)) throw new UsageError(say`${path} exists: move it, or overwrite it with --force`)
  }
  const root = packageFolder()
  for (const corpus of corpora) {
    await cp(join(root, 'fixtures', corpus), join(data, corpus), { recursive: true, force: true })
  }
  const recipe = await readFile(join(root, 'recipes/demo.yaml'), 'utf8')
  const text = recipe
    .replace(/^# yaml-language-server:.*$/m, `# yaml-language-server: $schema=${schema}`)
    .replaceAll('fixtures/', `${data}/`)
    .replaceAll('recipes/demo.yaml', file)
  await writeFile(file, text)
}
