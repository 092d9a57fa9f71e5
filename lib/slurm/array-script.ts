/** The script of one array. It runs an element, passes SIGTERM on, and returns the element to the queue. */
import { InvalidOptionError } from '../errors.js'
import { say } from '../language/say.js'

/** Time between SIGTERM and the end, seconds: replies of requests in flight are received and stored. */
const termSeconds = 120
/** Times that the element asks to be returned to the queue, and seconds in between: a controller under load lets connections time out. */
const requeueTries = 10
const requeuePauseSeconds = 5
/** Seconds in which the start time of a requeued element is corrected. */
const requeueSeconds = 20

/** What a script is made of. */
interface ArrayScript {
  /** Name of the jobs. */
  readonly name: string
  readonly elements: number
  readonly parallel: number | null
  /** Folder for the output of the elements. */
  readonly logs: string
  /** Options of sbatch without dashes: 'partition=gpu', 'gres=gpu:1'. */
  readonly options: readonly string[]
  /** Words of the command; the index of the element is appended. */
  readonly command: readonly string[]
  /** Times that an element is returned to the queue after a failure. */
  readonly retriesMax: number
}

/**
 * Returns the text of a script.
 *
 * Exit codes of the command: 0 done · 2 wrong use, not repeated · others: returned to the queue up to `retriesMax` times,
 * after SIGTERM always. A requeued job would wait for two minutes: its start time is set to now by a process that outlives
 * the script. Where Slurm ends that one, too, the element starts two minutes later.
 *
 * @throws {InvalidOptionError} an option of sbatch is not `name` or `name=value`
 */
export function arrayScript({ name, elements, parallel, logs, options, command, retriesMax }: ArrayScript): string {
  const wrong = options.find((option) => !/^[a-z][a-z-]*(?:=[^\n]+)?$/.test(option))
  if (wrong !== undefined) {
    throw new InvalidOptionError(
      say`--sbatch ${JSON.stringify(wrong)}: write the option without dashes, such as gres=gpu:1`,
    )
  }
  const limit = parallel === null ? '' : `%${parallel}`
  return `#!/bin/sh
#SBATCH --job-name=${name}
#SBATCH --array=0-${elements - 1}${limit}
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:TERM@${termSeconds}
#SBATCH --output=${logs}/%A_%a.log
${options.map((option) => `#SBATCH --${option}\n`).join('')}
again() {
  trap '' TERM
  echo "element $SLURM_ARRAY_TASK_ID: $1, back to the queue" >&2
  setsid sh -c '
    for second in $(seq ${requeueSeconds}); do
      sleep 1
      scontrol update JobId="$1" StartTime=now && exit
    done' sh "$SLURM_JOB_ID" >/dev/null 2>&1 </dev/null &
  for try in $(seq ${requeueTries}); do
    scontrol requeue "$SLURM_JOB_ID" && break
    sleep ${requeuePauseSeconds}
  done
  exit 1
}
stop() {
  stopped=yes
  kill -TERM "$child" 2>/dev/null
}
stopped=
trap stop TERM
${command.map(quoted).join(' ')} "$SLURM_ARRAY_TASK_ID" &
child=$!
wait "$child"
code=$?
# A signal ends wait before the command has ended.
while kill -0 "$child" 2>/dev/null; do
  wait "$child"
  code=$?
done
[ "$code" = 0 ] && exit 0
[ -n "$stopped" ] && again 'stopped by SIGTERM'
[ "$code" = 2 ] && exit 2
[ "\${SLURM_RESTART_COUNT:-0}" -lt ${retriesMax} ] && again "exit code $code"
exit "$code"
`
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`
}
