/** Finds the files that `prepare.decontaminate` names. */
import { glob } from 'tinyglobby'
import { RecipeError } from '../../errors.js'
import { say } from '../../language/say.js'

/** Files of one recipe. C-Eval has 156, CMMLU 134. */
const filesMax = 10_000

/** Paths in the order of the patterns, those of a pattern sorted, each once. */
export async function benchmarkFiles(patterns: readonly string[], directory: string): Promise<string[]> {
  const found = new Set<string>()
  for (const pattern of patterns) {
    const names = await glob(pattern, { cwd: directory, dot: true, expandDirectories: false })
    if (names.length === 0) {
      throw new RecipeError(
        say`prepare.decontaminate.files: no file matches '${pattern}'. Check the path: it starts from the
          working directory, ${directory}.`,
        { details: { pattern } },
      )
    }
    for (const name of names.sort()) found.add(name)
  }
  if (found.size > filesMax) {
    throw new RecipeError(say`prepare.decontaminate.files: ${found.size} files, at most ${filesMax} are read`, {
      details: { files: found.size, filesMax },
    })
  }
  return [...found]
}
