/** The commands of Slurm that this program calls: each with a time limit, its output read as text. */
import { execFile } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { errorCode } from '../caught-error.js'
import { SlurmError } from '../errors.js'
import { say } from '../language/say.js'

/** Time for one command, ms: a controller under load answers late. */
const commandMaxMs = 60_000
/** Output of one command, bytes: squeue prints a line for each waiting element. */
const outputBytesMax = 64 * 1024 * 1024
/** Waits before a command is repeated, ms: connections to a controller under load time out; one that restarts refuses them. */
const repeatMs = [1000, 3000, 9000]
/** Characters of a command's error output in a message. */
const shownMax = 500

/**
 * Runs a command and returns its standard output.
 *
 * @throws {SlurmError} it is not installed, fails, or takes longer than a minute
 */
function slurmOutput(command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(command, args, { timeout: commandMaxMs, maxBuffer: outputBytesMax }, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout)
      const words = stderr.trim().slice(0, shownMax) || error.message
      reject(
        errorCode(error) === 'ENOENT'
          ? new SlurmError(
              say`${command} is not installed: run this on a machine of the cluster from which jobs are submitted`,
            )
          : new SlurmError(say`${command} failed: ${words}`, { cause: error, details: { command, stderr } }),
      )
    })
  })
}

/** Whether a command ran and failed; otherwise it is not installed, or printed something else. */
function hasFailed(error: unknown): error is SlurmError {
  return error instanceof SlurmError && error.details.stderr !== undefined
}

/**
 * Runs a command that may be repeated, since it only reads or sets what it set before, until it succeeds or the waits are over.
 *
 * @throws {SlurmError} the last failure; at once where it is one of `isAnswer`, or the command is not installed
 */
async function repeatedOutput(
  command: string,
  args: readonly string[],
  isAnswer: (error: unknown) => boolean = () => false,
): Promise<string> {
  for (const waitMs of repeatMs) {
    try {
      return await slurmOutput(command, args)
    } catch (error) {
      if (!hasFailed(error) || isAnswer(error)) throw error
    }
    await pause(waitMs)
  }
  return slurmOutput(command, args)
}

/** Returns the number of elements that one array may have: MaxArraySize, whose last index is one less. */
export async function maxArraySize(): Promise<number> {
  const config = await repeatedOutput('scontrol', ['show', 'config'])
  const size = Number(/^MaxArraySize\s*=\s*(\d+)/m.exec(config)?.[1])
  if (size >= 1) return size
  throw new SlurmError(say`scontrol show config does not name MaxArraySize: arrays cannot be submitted`)
}

/**
 * Submits a script; returns the number of the job. If sbatch fails, the controller may still have accepted the job (its
 * response came too late): then the queue has it.
 *
 * @throws {SlurmError} sbatch failed, and the queue has no job of this script
 */
export async function submitScript(script: string): Promise<number> {
  try {
    return await sbatch(script)
  } catch (error) {
    if (!hasFailed(error)) throw error
    // A queue that cannot be read either says nothing new: the failure of sbatch is what the user needs.
    const job = await liveJobs().then(
      (jobs) => jobs.get(script),
      () => undefined,
    )
    if (job === undefined) throw error
    return job
  }
}

/** Returns the jobs of this user that wait or run, by the path of their script. */
export async function liveJobs(): Promise<ReadonlyMap<string, number>> {
  const printed = await repeatedOutput('squeue', ['--noheader', '--me', '--format', '%F %o'])
  const jobs = printed.split('\n').flatMap((line): [string, number][] => {
    const [, job, script] = /^\s*(\d+) (\/.*?)\s*$/.exec(line) ?? []
    return script === undefined ? [] : [[script, Number(job)]]
  })
  return new Map(jobs)
}

async function sbatch(script: string): Promise<number> {
  const printed = await slurmOutput('sbatch', ['--parsable', script])
  const job = Number(/^(\d+)/.exec(printed.trim())?.[1])
  if (Number.isSafeInteger(job)) return job
  throw new SlurmError(
    say`sbatch printed ${JSON.stringify(printed.slice(0, shownMax))} in place of the number of a job`,
  )
}

/** An element of an array that waits or runs. */
interface LiveElement {
  readonly index: number
  /** Waits for a start time in the future: Slurm requeues an element two minutes ahead. */
  readonly isDelayed: boolean
}

/** Returns the elements of an array that wait or run. */
export async function liveElements(job: number): Promise<LiveElement[]> {
  // Slurm forgets a job MinJobAge after its end.
  const isForgotten = (error: unknown) => hasFailed(error) && /Invalid job id/i.test(String(error.details.stderr))
  const asked = ['--noheader', '--array', '--jobs', String(job), '--format', '%K %r']
  const printed = await repeatedOutput('squeue', asked, isForgotten).catch((error: unknown) => {
    if (isForgotten(error)) return ''
    throw error
  })
  return printed.split('\n').flatMap((line) => {
    const [, index, reason] = /^\s*(\d+) (.*)$/.exec(line) ?? []
    return index === undefined ? [] : [{ index: Number(index), isDelayed: reason?.trim() === 'BeginTime' }]
  })
}

/** Starts a delayed element as soon as there is a node; no-op if it started meanwhile. */
export async function startNow(job: number, index: number): Promise<void> {
  try {
    await slurmOutput('scontrol', ['update', `JobId=${job}_${index}`, 'StartTime=now'])
  } catch (error) {
    if (!(error instanceof SlurmError)) throw error
    const isStill = (await liveElements(job)).some((each) => each.index === index && each.isDelayed)
    if (isStill) throw error
  }
}
