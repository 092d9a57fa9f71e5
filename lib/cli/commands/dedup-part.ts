/** `kun-stream dedup-part WHERE --part k/n`: holds a part of the index of a run whose duplicates are decided in epochs. */
import type { Command } from 'commander'
import { say } from '../../language/say.js'
import { addCommand } from '../command-summaries.js'
import { type Part, partOption } from '../part-option.js'
import { durationOption } from '../queue/queue-options.js'
import { sayOnStderr, writeOut } from '../terminal/output.js'

interface DedupPartFlags {
  readonly part: Part
  readonly wait?: number
  readonly json?: boolean
}

export function registerDedupPart(program: Command): void {
  addCommand(program, 'dedup-part')
    .argument('<where>', 'directory or s3://bucket/prefix that prepare --dedup-parts writes')
    .requiredOption('--part <k/n>', 'the k-th of the n parts of the index, from 1: 3/8', partOption)
    .option('--wait <duration>', 'longest wait for another process; 1h by default', durationOption)
    .option('--json', 'print one JSON object at the end in place of the summary')
    .action(async (where: string, flags: DedupPartFlags) => dedupPart(where, flags))
}

async function dedupPart(where: string, { part, wait, json }: DedupPartFlags): Promise<void> {
  const { openObjectStore } = await import('../../objects/open-store.js')
  const { epochWaitMsDefault, workOnEpochs } = await import('../../units/prepare-epochs.js')
  const { UnitStop } = await import('../unit-stop.js')
  const stop = new UnitStop()
  try {
    const store = await openObjectStore(where, { readOnly: true, onEvent: sayOnStderr })
    try {
      const searched = await workOnEpochs(store, {
        ...{ part: part.number, of: part.of, signal: stop.signal, onEvent: sayOnStderr },
        waitMsMax: wait ?? epochWaitMsDefault,
      })
      if (json) writeOut(`${JSON.stringify({ command: 'dedup-part', where, part: part.number, epochs: searched })}\n`)
      else writeOut(`${say`every duplicate is decided; part ${part.number} was searched for ${searched} epochs`}\n`)
    } finally {
      await store.close()
    }
  } finally {
    stop.close()
  }
}
