/** `kun-stream enqueue DIR --queue URL`: fills the queue of a run from its plan and its results. */
import type { Command } from 'commander'
import { count } from '../../language/count.js'
import { say } from '../../language/say.js'
import type { Filled } from '../../queue/fill-queue.js'
import { addCommand } from '../command-summaries.js'
import { addQueueOptions, openQueue, type QueueFlags } from '../queue/queue-options.js'
import { sayOnStderr, writeOut } from '../terminal/output.js'
import { onStopSignal } from '../terminal/stop-signals.js'

interface EnqueueFlags extends QueueFlags {
  readonly follow?: boolean
  readonly json?: boolean
}

export function registerEnqueue(program: Command): void {
  addQueueOptions(addCommand(program, 'enqueue'), true)
    .argument('<dir>', 'run that was prepared: a directory, or s3://bucket/prefix')
    .option('--follow', 'continue until prepare has planned the last unit')
    .option('--json', 'print one JSON object')
    .action(async (where: string, flags: EnqueueFlags) => {
      const { openUnits } = await import('../../units/open-units.js')
      const { fillQueue } = await import('../../queue/fill-queue.js')
      const { queuedRunOf } = await import('../../queue/queued-run.js')
      const run = await openUnits(where, { readOnly: true, onEvent: sayOnStderr })
      const stop = new AbortController()
      let release = (): void => undefined
      let close = async (): Promise<void> => undefined
      try {
        const { address, name, session } = await openQueue(run.store, flags, false)
        close = () => session.close()
        release = onStopSignal(() => stop.abort())
        const filled = await fillQueue(queuedRunOf(run), session, {
          signal: stop.signal,
          follow: flags.follow ?? false,
          onFilled: (now) => flags.follow && !now.complete && sayOnStderr(filledText(now, name)),
        })
        if (flags.json) writeOut(`${JSON.stringify({ queue: address.label, name, ...filled })}\n`)
        else writeOut(`${filledText(filled, name)}\n`)
        if (stop.signal.aborted) process.exitCode = 3
      } finally {
        release()
        await close()
        await run.close()
      }
    })
}

function filledText({ planned, done, added, setAside, complete }: Filled, name: string): string {
  const lines = [say`${name}: ${count(added, 'unit')} in the queue, ${done} of ${planned} done`]
  if (setAside > 0) lines.push(say`${count(setAside, 'unit')} set aside after repeated failures: kun-stream units ls`)
  if (!complete) lines.push(say`prepare has not planned all units yet: run enqueue again, or with --follow`)
  return lines.join('\n')
}
