/** Publishes a run with progress on stderr; a stop signal ends it after the current request, a second one immediately. */
import type { EventFields, EventLog } from '../core/event-log.js'
import { AbortedError } from '../errors.js'
import { reportWaits } from '../http/retry-messages.js'
import { say } from '../language/say.js'
import type { PublishResult } from '../publish/options.js'
import { type PublishOptions, publish } from '../publish/publish.js'
import { ProgressLine } from './terminal/progress-line.js'
import { onStopSignal, type StopSignal } from './terminal/stop-signals.js'

export async function publishWithProgress(options: PublishOptions, log: EventLog): Promise<PublishResult> {
  const [ending, stop] = [new AbortController(), new AbortController()]
  const progress = new ProgressLine(process.stderr)
  const release = onStopSignal((signal, nth) => {
    if (nth > 1) return stop.abort(stoppedBy(signal))
    ending.abort(stoppedBy(signal))
    progress.print(say`${signal}: stopping after the current request; a second signal stops immediately`)
  })
  try {
    const result = await publish({
      ...options,
      connection: { ...options.connection, ...reportWaits(progress.print) },
      ending: ending.signal,
      signal: stop.signal,
      onProgress: (step) => {
        if (progress.show(step)) log.debug('publish-step', { phase: step.phase, name: step.name })
      },
      onWait: progress.print,
    })
    log.info('published', publishedFields(result))
    return result
  } finally {
    progress.end()
    release()
  }
}

/** Fields of the log entry 'published'. */
export function publishedFields({ repo, commit, pullRequest, files, ...rest }: PublishResult): EventFields {
  const { filesUploaded, bytesUploaded, deleted } = rest
  return { repo, commit, pullRequest, files: files.length, filesUploaded, bytesUploaded, deleted: deleted.length }
}

/** The error of a stopped publish; files already on the Hub are not sent again. */
function stoppedBy(signal: StopSignal): AbortedError {
  return new AbortedError(say`publishing was stopped by ${signal}; publish again to resume`)
}
