/** Checks between fields of a recipe, which its schema cannot express. */

import { relative, resolve } from 'node:path'
import { columnIssues } from '../kun/column-checks.js'
import { listText } from '../language/list-text.js'
import { say, translated } from '../language/say.js'
import { listedEndpoints } from '../llm/options.js'
import { compilePatterns, isSelected } from '../sources/globs.js'
import { presetNames } from '../sources/index.js'
import { isS3Glob } from '../sources/s3-shards.js'
import {
  dedupFolder,
  dedupLogName,
  durableFiles,
  localFiles,
  manifestName,
  partPath,
  repliesFolder,
} from '../storage/run-layout.js'
import type { Path } from './document.js'
import { nearest } from './nearest.js'
import { placeholderProblem, unknownPlaceholders } from './prompt-checks.js'
import type { Recipe, RecipeModel, RecipeSource } from './schema.js'

interface Issue {
  readonly path: Path
  /** The value found, and what to do. */
  readonly message: string
}

/** Returns the issues found, in the order of the recipe. */
export function crossChecks(recipe: Recipe): Issue[] {
  return [
    ...recipe.sources.flatMap((source, index) => [
      ...sourceIssues(source, index),
      ...nameIssues(source, index, recipe.sources),
      ...runIssues(source, index, recipe.output.dir),
      ...writtenIssues(source, index, recipe.output.dir),
    ]),
    ...standardInputIssues(recipe.sources),
    ...Object.entries(recipe.models).flatMap(([name, model]) => modelIssues(name, model)),
    ...stageIssues(recipe),
    ...labelIssues(recipe),
    ...columnIssues(recipe.kun).map(({ path, message }) => issue(['kun', ...path], message)),
    ...placeholderIssues(recipe),
    ...encoderIssues(recipe),
  ]
}

function sourceIssues(source: RecipeSource, index: number): Issue[] {
  const at = (field: string) => ['sources', index, field]
  const { preset, text, hub, revision, cache, token, files } = source
  const found: Issue[] = []
  if (preset === undefined && text === undefined && source.run === undefined) {
    found.push(
      issue(
        ['sources', index],
        say`needs preset (${listText(presetNames)}) or text, the name of the field with the text`,
      ),
    )
  }
  const ofHub = { revision, cache, token }
  for (const [field, value] of Object.entries(ofHub)) {
    if (value !== undefined && hub === undefined)
      found.push(issue(at(field), say`applies to a dataset of the Hub only; name it in hub`))
  }
  if (files.every((glob) => glob.startsWith('!')))
    found.push(issue(at('files'), say`only excludes files; add a glob of files to read`))
  const inBuckets = files.filter(isS3Glob).length
  if (inBuckets > 0 && (inBuckets < files.length || hub !== undefined || source.run !== undefined)) {
    found.push(
      issue(at('files'), say`found s3:// among others; a source reads a bucket, the Hub, a run or local files`),
    )
  }
  if (files.includes('-') && (files.length > 1 || hub !== undefined)) {
    found.push(issue(at('files'), say`found "-" (standard input) among others; it must be the only entry`))
  }
  return found
}

function runIssues({ run, hub, preset, files }: RecipeSource, index: number, output: string): Issue[] {
  if (run === undefined) return []
  const at = ['sources', index, 'run']
  const other = hub !== undefined ? 'hub' : preset !== undefined ? 'preset' : files.includes('-') ? 'files: "-"' : null
  if (other !== null) return [issue(at, say`found beside ${other}; a source reads one or the other`)]
  if (resolve(run) !== resolve(output)) return []
  return [issue(at, say`found "${run}", which is output.dir; a run cannot read what it writes`)]
}

/** A path of every kind of file that a run writes. */
const writtenPaths: readonly string[] = [
  partPath('train', 0, 0),
  partPath(null, 0, 0),
  manifestName,
  ...durableFiles,
  ...localFiles,
  `${repliesFolder}/000000.log`,
  `${dedupFolder}/${dedupLogName}`,
]

/** A run that lists its own files would resume with other inputs than it started with. */
function writtenIssues({ run, hub, files }: RecipeSource, index: number, output: string): Issue[] {
  if (run !== undefined || hub !== undefined || files.some((glob) => isS3Glob(glob) || glob === '-')) return []
  const patterns = compilePatterns(files, '.')
  const found = writtenPaths.map((path) => resolve(output, path)).find((path) => isSelected(path, patterns))
  if (found === undefined) return []
  const what = say`matches ${relative('.', found)}, which the run itself writes; add "!${output}/**", or use another output.dir`
  return [issue(['sources', index, 'files'], what)]
}

/** Rows and ids name a source by its name, or by its split if no other source has it. */
function nameIssues(source: RecipeSource, index: number, sources: readonly RecipeSource[]): Issue[] {
  const { split, name } = source
  const other = sources.findIndex((each, at) => at !== index && each.split === split)
  if (name === undefined && other >= 0) {
    const what = say`found "${split}", which is also the split of sources[${other}]; give each source of a split a name, or another split`
    return [issue(['sources', index, 'split'], what)]
  }
  const first = sources.findIndex((each) => (each.name ?? each.split) === (name ?? split))
  if (first === index) return []
  const field = name === undefined ? 'split' : 'name'
  return [issue(['sources', index, field], say`found "${name ?? split}", which already names sources[${first}]`)]
}

function standardInputIssues(sources: readonly RecipeSource[]): Issue[] {
  const reading = sources.flatMap(({ files }, index) => (files.includes('-') ? [index] : []))
  return reading
    .slice(1)
    .map((index) => issue(['sources', index, 'files'], say`standard input is already read by an earlier source`))
}

function modelIssues(name: string, { endpoints, model }: RecipeModel): Issue[] {
  const listed = listedEndpoints(endpoints)
  if (listed.includes('builtin')) {
    return listed.length === 1
      ? []
      : [issue(['models', name, 'endpoints'], say`found builtin among others; it must be the only entry`)]
  }
  return model === undefined
    ? [issue(['models', name], say`needs model, the name under which its server serves it`)]
    : []
}

function stageIssues({ kun, models }: Recipe): Issue[] {
  const { perplexity, screen, label, score, polish, pair, ifd } = kun
  const stages = Object.entries({ perplexity, screen, label, score, polish, pair, ifd }).flatMap(([stage, options]) =>
    options === undefined ? [] : [{ path: ['kun', stage, 'model'], model: options.model }],
  )
  const columns = kun.columns.map(({ model }, index) => ({ path: ['kun', 'columns', index, 'model'], model }))
  const names = Object.keys(models)
  return [...stages, ...columns].flatMap(({ path, model }) => {
    if (Object.hasOwn(models, model)) return []
    const meant = nearest(model, names)
    const what =
      meant === null
        ? say`found "${model}", which is not in models; models has ${listText(names) || translated('none')}`
        : say`found "${model}", which is not in models; did you mean ${meant}?`
    return [issue(path, what)]
  })
}

/** Other unknown placeholders may be intended; `validate` and `plan` warn of them. */
function placeholderIssues({ kun }: Recipe): Issue[] {
  const typed = unknownPlaceholders(kun).filter(({ meant }) => meant !== null)
  return typed.map((unknown) => issue(unknown.path, placeholderProblem(unknown)))
}

function labelIssues({ kun: { label } }: Recipe): Issue[] {
  if (label.severalInstructions === 'first' || label.filter.reading === 'repaired') return []
  const at = ['kun', 'label', 'severalInstructions']
  return [
    issue(
      at,
      say`found "variants", but kun.label.filter.reading: published reads a reply as one instruction; use first`,
    ),
  ]
}

function encoderIssues({ output: { encoder, codec } }: Recipe): Issue[] {
  if (codec === undefined || (encoder === 'hyparquet-writer') === (codec === 'zstd')) return []
  const what =
    encoder === 'hyparquet-writer'
      ? say`found "${codec}"; ${encoder} supports zstd`
      : say`found "${codec}"; ${encoder} supports gzip or snappy`
  return [issue(['output', 'codec'], what)]
}

function issue(path: Path, message: string): Issue {
  return { path, message }
}
