/** How a run is published: the options that a recipe and the command line share. */
import { z } from 'zod'
import { unpinned } from '../core/option-meta.js'
import { InvalidOptionError } from '../errors.js'
import { hubRepo, hubToken, parseRepo } from '../hub/settings.js'
import { say } from '../language/say.js'

export const publishOptions = z.strictObject({
  repo: hubRepo.meta(unpinned('Dataset on the Hub, created if missing')),
  // Absent: the default of the account.
  private: z.boolean().optional().meta(unpinned('Creates the dataset as private; does not change one that exists')),
  branch: z.string().min(1).default('main').meta(unpinned('Branch to commit to')),
  pullRequest: z
    .boolean()
    .default(false)
    .meta(unpinned('Opens a pull request, or updates the one that an earlier publish opened')),
  append: z.boolean().default(false).meta(unpinned('Keeps data files of other runs that are on the branch')),
  replace: z.boolean().default(false).meta(unpinned('Deletes data files of other runs that are on the branch')),
  sealedOnly: z
    .boolean()
    .default(false)
    .meta(unpinned('Publishes only files that will not change, while the run is in progress')),
  dryRun: z.boolean().default(false).meta(unpinned('Prints the paths that would be written; writes nothing')),
  hubUrl: z.string().optional().meta(unpinned('Address of the Hub, in place of HF_ENDPOINT or huggingface.co')),
  token: hubToken(),
  // The last file of a split is smaller.
  fileBytes: z
    .int()
    .min(1)
    .default(500_000_000)
    .meta(unpinned('Consecutive cuts are joined to files of about this size')),
  // A larger dataset is committed in several steps, under names that do not change.
  filesPerCommitMax: z.int().min(2).max(1000).default(100).meta(unpinned('Files in one commit')),
  commitsPerHourMax: z.int().min(1).default(100).meta(unpinned('Commits per hour; the Hub allows 128')),
  title: z.string().min(1).optional().meta(unpinned('Title of the commits')),
  license: z
    .string()
    .min(1)
    .optional()
    .meta(unpinned('License of the card: cc-by-4.0, apache-2.0, other; an existing card keeps its own by default')),
})

/** @throws {InvalidOptionError} the first invalid option, with the value found; append and replace are both set */
export function checkPublishOptions(given: z.input<typeof publishOptions>): PublishSettings {
  parseRepo(given.repo)
  const { data, error } = publishOptions.safeParse(given)
  if (data?.append && data.replace) {
    throw new InvalidOptionError(
      say`The options append and replace of publish are both set: one keeps the data of other runs, one
        deletes it`,
    )
  }
  if (data !== undefined) return data
  const [issue] = error.issues
  const name = issue?.path.join('.') ?? ''
  const found = JSON.stringify(Object.entries(given).find(([key]) => key === name)?.[1])
  throw new InvalidOptionError(say`The option ${name} of publish is ${found}: ${issue?.message}`)
}

export type PublishSettings = z.output<typeof publishOptions>

/** Upload progress. */
export interface PublishProgress {
  readonly phase: 'join' | 'upload' | 'commit' | 'check'
  /** The file on the Hub that is being processed, or the branch. */
  readonly name: string
  /** Bytes of the run's data that are on the Hub. */
  readonly bytesDone: number
  readonly bytesTotal: number
}

/** State of the dataset on the Hub, and what this publish changed. */
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
