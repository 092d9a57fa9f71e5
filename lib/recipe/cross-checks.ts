/** What a schema cannot say of a recipe: how its parts fit each other. */
import type { Path } from './document.js'
import { nearest } from './issues.js'
import type { Recipe, RecipeModel, RecipeSource } from './schema.js'

export interface Misfit {
  readonly path: Path
  /** The value found, and what to do. */
  readonly message: string
}

/** Everything that does not fit, in the order of the recipe. */
export function misfits(recipe: Recipe): Misfit[] {
  const splits = recipe.sources.map(({ split }) => split)
  return [
    ...recipe.sources.flatMap((source, index) => [
      ...sourceMisfits(source, index),
      ...(splits.indexOf(source.split) < index
        ? [
            misfit(
              ['sources', index, 'split'],
              `found "${source.split}" a second time; each source has a split of its own`,
            ),
          ]
        : []),
    ]),
    ...standardInputMisfits(recipe.sources),
    ...Object.entries(recipe.models).flatMap(([name, model]) => modelMisfits(name, model)),
    ...stageMisfits(recipe),
    ...encoderMisfits(recipe),
  ]
}

function sourceMisfits(source: RecipeSource, index: number): Misfit[] {
  const at = (field: string) => ['sources', index, field]
  const { preset, text, hub, revision, cache, token, files } = source
  const found: Misfit[] = []
  if (preset === undefined && text === undefined) {
    found.push(misfit(['sources', index], 'needs preset (wudao, wanjuan, skypile) or text, the field of the text'))
  }
  const ofHub = { revision, cache, token }
  for (const [field, value] of Object.entries(ofHub)) {
    if (value !== undefined && hub === undefined)
      found.push(misfit(at(field), 'is of the Hub; name the dataset in hub'))
  }
  if (files.every((glob) => glob.startsWith('!')))
    found.push(misfit(at('files'), 'only takes files out; name some to read'))
  if (files.includes('-') && (files.length > 1 || hub !== undefined)) {
    found.push(misfit(at('files'), 'found "-" (standard input) beside others; it is a source by itself'))
  }
  return found
}

function standardInputMisfits(sources: readonly RecipeSource[]): Misfit[] {
  const reading = sources.flatMap(({ files }, index) => (files.includes('-') ? [index] : []))
  return reading
    .slice(1)
    .map((index) => misfit(['sources', index, 'files'], 'standard input is read by an earlier source'))
}

function modelMisfits(name: string, { endpoints, model }: RecipeModel): Misfit[] {
  if (endpoints.includes('builtin')) {
    return endpoints.length === 1
      ? []
      : [misfit(['models', name, 'endpoints'], 'found builtin beside others; it stands alone')]
  }
  return model === undefined ? [misfit(['models', name], 'needs model, the name that its server knows it by')] : []
}

function stageMisfits({ kun, models }: Recipe): Misfit[] {
  const names = Object.keys(models)
  return Object.entries(kun).flatMap(([stage, options]) => {
    if (options === undefined || Object.hasOwn(models, options.model)) return []
    const meant = nearest(options.model, names)
    const hint = meant === null ? `models has ${names.join(', ') || 'none'}` : `did you mean ${meant}?`
    return [misfit(['kun', stage, 'model'], `found "${options.model}", which is not in models; ${hint}`)]
  })
}

function encoderMisfits({ output: { encoder, codec } }: Recipe): Misfit[] {
  if (codec === undefined || (encoder === 'hyparquet-writer') === (codec === 'zstd')) return []
  const allowed = encoder === 'hyparquet-writer' ? 'zstd' : 'gzip or snappy'
  return [misfit(['output', 'codec'], `found "${codec}"; ${encoder} writes ${allowed}`)]
}

function misfit(path: Path, message: string): Misfit {
  return { path, message }
}
