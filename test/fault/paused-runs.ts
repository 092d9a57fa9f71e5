/** What tests of runs that stop and resume share: cuts whose places are known, rejects as they were written, large inputs. */
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { AbortedError } from '../../lib/errors.js'
import { openPart, rowsOf } from '../../lib/parquet/part-reader.js'
import { nodeFiles } from '../../lib/storage/files.js'
import { documents, type MiniRun, startMini } from './mini-run.js'

/** One shard after the other, and a cut for each candidate. */
export const inOrder = ['read.order=in-order', 'output.candidatesPerCut=1']

/** Stops a run after so many commits. */
export async function cutShort(run: MiniRun, commits: number): Promise<void> {
  let committed = 0
  const session = await startMini(run, {
    onStep: (step, when) => {
      if (step !== 'manifest-fsync' || when !== 'after' || ++committed < commits) return
      session.abort(new AbortedError('cut short'))
    },
  })
  await session.done.catch(() => undefined)
}

/** The rejects of a run whose reason begins with 'shard-'. */
export async function shardRejects(directory: string): Promise<{ shard: string; reason: string }[]> {
  const found: { shard: string; reason: string }[] = []
  for (const name of await nodeFiles.list(join(directory, 'rejects'))) {
    const part = await openPart(join(directory, 'rejects', name))
    for await (const { shard, reason } of rowsOf(part)) {
      if (String(reason).startsWith('shard-')) found.push({ shard: String(shard), reason: String(reason) })
    }
    await part.close()
  }
  return found
}

/**
 * The same documents in three formats, with so much beside each text that they take many reads and most of a file lies
 * outside of what is sampled when it is listed.
 */
export function paddedShards(next: () => number): Readonly<Record<string, Buffer>> {
  const records = documents(30)
    .filter((line) => line.startsWith('{"text"') && line.endsWith('"}'))
    .map((line) => ({
      text: (JSON.parse(line) as { text: string }).text,
      pad: Array.from({ length: 8000 }, () => next().toString(36).slice(2, 12)).join(''),
    }))
  const lines = records.map((record) => JSON.stringify(record)).join('\n')
  return {
    'a.jsonl': Buffer.from(lines),
    'a.jsonl.gz': gzipSync(lines, { level: 1 }),
    'a.parquet': Buffer.from(
      parquetWriteBuffer({
        columnData: [
          { name: 'text', data: records.map(({ text }) => text), type: 'STRING' },
          { name: 'pad', data: records.map(({ pad }) => pad), type: 'STRING' },
        ],
        rowGroupSize: 5,
        codec: 'UNCOMPRESSED',
      }),
    ),
  }
}
