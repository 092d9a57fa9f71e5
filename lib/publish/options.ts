/** How a run is published: the options that a recipe and the command line share. */
import { z } from 'zod'
import { InvalidOptionError } from '../errors.js'
import { hubRepo, mustBeRepo } from '../hub/settings.js'

export const publishOptions = z.strictObject({
  repo: hubRepo,
  /** Of a repository that is made now; an existing one stays as it is. The account's own default when left out. */
  private: z.boolean().optional(),
  branch: z.string().min(1).default('main'),
  pullRequest: z.boolean().default(false),
  /** Keeps data files of other runs and adds this run's; `replace` deletes them. */
  append: z.boolean().default(false),
  replace: z.boolean().default(false),
  /** Only files that will never change, under names for a run that goes on. */
  sealedOnly: z.boolean().default(false),
  dryRun: z.boolean().default(false),
  hubUrl: z.string().optional(),
  /** `env:NAME`; by default HF_TOKEN or the standard token file. */
  token: z.string().optional(),
  /** What cuts are joined to, as bytes of their files; the last file of a split is smaller. */
  fileBytes: z.int().min(1).default(500_000_000),
  /** A dataset of more files is committed in several steps, under names that do not change. */
  filesPerCommitMax: z.int().min(2).max(1000).default(100),
  /** The Hub allows 128. */
  commitsPerHourMax: z.int().min(1).default(100),
  /** Of the commits. */
  title: z.string().min(1).optional(),
  /** The Hub's name of it: cc-by-4.0, apache-2.0, other. An existing card keeps its own when left out. */
  license: z.string().min(1).optional(),
})

/** @throws {InvalidOptionError} the first that is wrong, with its name and the value found; append and replace together */
export function checkPublishOptions(given: z.input<typeof publishOptions>): PublishSettings {
  mustBeRepo(given.repo)
  const { data, error } = publishOptions.safeParse(given)
  if (data?.append && data.replace) {
    throw new InvalidOptionError(
      'The options append and replace of publish are both set: one keeps the data of other runs, one deletes it',
    )
  }
  if (data !== undefined) return data
  const [issue] = error.issues
  const name = issue?.path.join('.') ?? ''
  const found = JSON.stringify((given as Record<string, unknown>)[name])
  throw new InvalidOptionError(`The option ${name} of publish is ${found}: ${issue?.message}`)
}

export type PublishSettings = z.output<typeof publishOptions>

/** How far publishing is. */
export interface PublishProgress {
  readonly phase: 'join' | 'upload' | 'commit' | 'check'
  /** The file of the Hub that is worked on, or the branch. */
  readonly name: string
  /** Of the data of the run, stored on the Hub so far. */
  readonly bytesDone: number
  readonly bytesTotal: number
}

/** What is on the Hub now, and what was done for it. */
export interface PublishResult {
  readonly repo: string
  /** The page of the dataset, or of the pull request. */
  readonly url: string
  /** The commit that holds it; null for a dry run on a repository that does not exist. */
  readonly commit: string | null
  readonly pullRequest: string | null
  /** Data files of this run that are on the Hub now. */
  readonly files: readonly PublishedFile[]
  readonly filesUploaded: number
  readonly bytesUploaded: number
  /** Paths that were, or with `dryRun` would be, written and deleted. */
  readonly written: readonly string[]
  readonly deleted: readonly string[]
}

/** A data file of this run on the Hub. */
export interface PublishedFile {
  readonly path: string
  readonly split: string
  readonly rows: number
  readonly bytes: number
}
