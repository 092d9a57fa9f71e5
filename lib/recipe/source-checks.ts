/**
 * Checks that the first records of each source have a text, before anything else is started: a wrong field, an empty file or
 * another format would otherwise be noticed after hundreds of records, or not at all beside a source that is right.
 */
import { RecipeError } from '../errors.js'
import { count } from '../language/count.js'
import { say } from '../language/say.js'
import { proposeFields } from '../sources/field-proposal.js'
import { type FirstRecords, firstRecords } from '../sources/first-records.js'
import type { Shard } from '../sources/index.js'
import type { Recipe } from './schema.js'

/** The first records of a source. */
interface SourceCheck {
  /** Index in `sources`. */
  readonly index: number
  readonly shards: readonly Shard[]
  readonly looked: readonly FirstRecords[]
  /** Path in the recipe, what is wrong, and what to do; null if a text was found, or cannot be looked for. */
  readonly problem: string | null
}

/** Looks at the first records of every source, until one has a text. */
export async function checkSources(
  sources: Recipe['sources'],
  all: readonly Shard[],
  signal?: AbortSignal,
): Promise<SourceCheck[]> {
  const checks: SourceCheck[] = []
  for (const [index, { split, name }] of sources.entries()) {
    const shards = all.filter((shard) => shard.split === split && shard.source === name)
    const looked = await firstRecords(shards, { untilText: true, ...(signal && { signal }) })
    checks.push({ index, shards, looked, problem: problemOf(index, shards, looked) })
  }
  return checks
}

/**
 * Checks the sources of a run that starts; `sameEndingRecords: false` disables it, as the same check during the run.
 *
 * @throws {RecipeError} no record that was looked at has a text
 */
export async function mustHaveTexts(
  { brakes, sources }: Pick<Recipe, 'sources' | 'brakes'>,
  shards: readonly Shard[],
  signal?: AbortSignal,
): Promise<void> {
  if (brakes === false || brakes.sameEndingRecords === false) return
  const wrong = (await checkSources(sources, shards, signal)).flatMap(({ problem }) =>
    problem === null ? [] : [problem],
  )
  if (wrong.length > 0) throw new RecipeError(wrong.join('\n'))
}

function problemOf(index: number, shards: readonly Shard[], looked: readonly FirstRecords[]): string | null {
  // Standard input can be read once: by the run.
  if (looked.some(({ texts }) => texts > 0) || shards.some(({ sizeBytes }) => sizeBytes === null)) return null
  const at = `sources[${index}]`
  const [first] = looked
  if (first === undefined) {
    const rejected = shards.find(({ reject }) => reject != null)
    const why = rejected?.reject ?? { reason: 'shard-empty', detail: '' }
    return say`${at}.files: no file can be read: ${rejected?.path ?? ''}: ${why.reason}, ${why.detail}; check the path and the files`
  }
  const [fault] = first.faults
  const { reason, detail } = fault ?? { reason: 'shard-empty', detail: '' }
  const seen = looked.reduce((sum, each) => sum + each.seen, 0)
  if (reason !== 'no-text' && reason !== 'shard-columns') {
    return say`${at}.files: none of the first ${count(seen, 'record')} can be read: ${first.path}: ${reason}, ${detail}; check the format of the file`
  }
  const found = proposeFields(looked.flatMap(({ records }) => records)).texts[0]?.name
  const records = count(seen, 'record')
  return found === undefined
    ? say`${at}.text: none of the first ${records} has a text: ${first.path}: ${detail}; name the field of the text`
    : say`${at}.text: none of the first ${records} has a text: ${first.path}: ${detail}; the longest text is in ${found}: set text: ${found}`
}
