/** Responses of servers to the probes of a sample, in its directory: the run that uses its replies does not ask again. */
import { join } from 'node:path'
import { CorruptFileError } from '../errors.js'
import { say } from '../language/say.js'
import { keptProbes, ProbeMemory } from '../llm/endpoint/probe-memory.js'
import { type FileLayer, readWholeFile, writeFileDurably } from '../storage/files.js'
import { probesName } from '../storage/run-layout.js'
import { decodeSealed, encodeSealed } from '../storage/sealed-json.js'
import type { KunSettings } from './settings.js'

/** Size of the file that is read, at most. */
const fileBytesMax = 64_000_000

/** Reads the responses that the sample of a run received; null without a sample. A damaged file is not used. */
export async function readSampleProbes(
  { output, replies, sample }: Pick<KunSettings, 'output' | 'replies' | 'sample'>,
  files: FileLayer,
  onEvent: (message: string) => void = () => undefined,
): Promise<ProbeMemory | null> {
  const kept = []
  for (const directory of [...replies.from, ...(sample === undefined ? [] : [output.dir])]) {
    const path = join(directory, probesName)
    try {
      const bytes = await readWholeFile(files, path, fileBytesMax)
      if (bytes === null) continue
      const { data } = keptProbes.safeParse(decodeSealed(bytes, path, say`The servers are probed again`))
      if (data !== undefined) kept.push(data)
    } catch (error) {
      if (!(error instanceof CorruptFileError)) throw error
      onEvent(say`cannot use ${path}, the servers are probed again: ${error.message}`)
    }
  }
  return sample === undefined && kept.length === 0 ? null : new ProbeMemory(kept)
}

/** Writes what the servers of a sample responded. */
export async function writeSampleProbes(directory: string, memory: ProbeMemory, files: FileLayer): Promise<void> {
  const path = join(directory, probesName)
  await writeFileDurably(files, path, Buffer.from(encodeSealed(memory.kept(), 'compact')))
}
