/**
 * A submission: folder/000/ with the units of each array's elements, the scripts, and the numbers of the jobs once they are
 * submitted. The files of a submission do not change afterwards, so that an element which Slurm starts again runs the same
 * units; a later submission is another folder.
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { errorCode } from '../caught-error.js'
import { CorruptFileError, UsageError } from '../errors.js'
import { say } from '../language/say.js'
import { nodeFiles, writeFileDurably } from '../storage/files.js'

const submissionsMax = 10_000

const arrayFile = z.strictObject({ elements: z.array(z.array(z.string())) })
const jobsFile = z.strictObject({ jobs: z.array(z.int().min(0)) })

/** An array of an earlier submission. */
interface SubmittedArray {
  /** Null: not noted, since the process that submitted it ended before, or it never was submitted. */
  readonly job: number | null
  /** Path of the script, by which the queue names its job. */
  readonly script: string
  /** Units of each element. */
  readonly elements: readonly (readonly string[])[]
}

function arrayName(array: number): string {
  return `array-${String(array).padStart(3, '0')}`
}

function scriptOf(submission: string, array: number): string {
  return join(submission, `${arrayName(array)}.sh`)
}

/** Creates the folder of the next submission. Two calls get two folders. */
export async function createSubmission(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true })
  for (let number = (await numbersIn(folder)).length; number < submissionsMax; number++) {
    const path = join(folder, String(number).padStart(3, '0'))
    try {
      await mkdir(path)
      await mkdir(join(path, 'logs'))
      return path
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error
    }
  }
  throw new UsageError(say`${folder} has ${submissionsMax} submissions; give another --folder`)
}

export async function writeArray(
  submission: string,
  array: number,
  elements: readonly (readonly string[])[],
  script: string,
): Promise<string> {
  await writeFile(join(submission, `${arrayName(array)}.json`), `${JSON.stringify({ elements })}\n`)
  const path = scriptOf(submission, array)
  await writeFile(path, script, { mode: 0o755 })
  return path
}

/** Stores the numbers of the jobs submitted so far, by array. */
export async function writeJobs(submission: string, jobs: readonly number[]): Promise<void> {
  await writeFileDurably(nodeFiles, join(submission, 'jobs.json'), Buffer.from(`${JSON.stringify({ jobs })}\n`))
}

/** Returns the units of an element. @throws {UsageError} there is no such element */
export async function unitsOfElement(submission: string, array: number, element: number): Promise<readonly string[]> {
  const units = (await readElements(submission, array))[element]
  if (units !== undefined) return units
  throw new UsageError(say`${submission}/${arrayName(array)}.json has no element ${element}`)
}

/** Returns the arrays of all earlier submissions whose scripts were written. */
export async function submittedArrays(folder: string): Promise<SubmittedArray[]> {
  const arrays: SubmittedArray[] = []
  for (const number of await numbersIn(folder)) {
    const submission = join(folder, number)
    const path = join(submission, 'jobs.json')
    const text = await readOrNull(path)
    const jobs = text === null ? [] : parsed(path, text, jobsFile).jobs
    const names = new Set(await readdir(submission))
    for (let array = 0; names.has(`${arrayName(array)}.sh`); array++) {
      const elements = await readElements(submission, array)
      arrays.push({ job: jobs[array] ?? null, script: scriptOf(submission, array), elements })
    }
  }
  return arrays
}

async function readElements(submission: string, array: number): Promise<readonly (readonly string[])[]> {
  const path = join(submission, `${arrayName(array)}.json`)
  const text = await readOrNull(path)
  if (text === null) throw new UsageError(say`${path} does not exist`)
  return parsed(path, text, arrayFile).elements
}

async function numbersIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  return names.filter((name) => /^\d{3,}$/.test(name)).sort()
}

async function readOrNull(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null
    throw error
  }
}

function parsed<T>(path: string, text: string, schema: z.ZodType<T>): T {
  try {
    const result = schema.safeParse(JSON.parse(text))
    if (result.success) return result.data
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw new CorruptFileError(say`${path} is damaged: remove its folder and submit again`, { details: { path } })
}
