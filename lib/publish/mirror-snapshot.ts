/**
 * Snapshots of a run directory: the files that a resumed run needs, divided into pieces named by their sha256.
 *
 * The manifest is read first: its cuts rely on log entries that were durable before, so logs that are read later are long
 * enough. A log may be copied with an incomplete last frame; opening it removes the frame, as after a crash.
 */
import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { say } from '../language/say.js'
import { readRunRecord } from '../sinks/index.js'
import { scanManifest } from '../sinks/manifest.js'
import { changedPart } from '../sinks/part-check.js'
import { readAppendLog } from '../storage/append-log.js'
import { nodeFiles, type OpenFile, temporarySuffix } from '../storage/files.js'
import { corrupt } from '../storage/frames.js'
import { durableFiles, isLogPath, logFolders, manifestName } from '../storage/run-layout.js'
import { compare } from './plan.js'

const sha256 = z.string().regex(/^[0-9a-f]{64}$/)

export const snapshotSchema = z.object({
  format: z.literal('kun-stream mirror 2'),
  cuts: z.int().min(0),
  files: z.array(
    z.object({
      /** Stays inside the run directory: no segment is '..', not even after a line break. */
      path: z.string().regex(/^(?!.*(?:^|\/)\.\.?(?:\/|$))[^/\\][^\\]*$/s),
      pieces: z.array(z.object({ sha256, bytes: z.int().min(0) })),
    }),
  ),
})

/** mirror.json: written last, so that every piece it names exists. */
export type Snapshot = z.output<typeof snapshotSchema>
export type MirrorPiece = Snapshot['files'][number]['pieces'][number]

/** Where a piece is in the run directory. */
export interface PiecePlace {
  readonly path: string
  readonly offset: number
  readonly piece: MirrorPiece
}

/** Size of the pieces of a file that grows: only the last piece is sent again. */
const pieceBytes = 16 * 1024 * 1024
const readBytes = 1024 * 1024

export class Snapshots {
  /** Pieces hashed by this process that cannot change: files that do not grow, and full pieces of logs. */
  readonly #hashed = new Map<string, MirrorPiece>()
  /** Logs whose frames were checked. */
  readonly #checked = new Set<string>()
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
  }

  async take(): Promise<{ snapshot: Snapshot; places: Map<string, PiecePlace> }> {
    const { entries, wholeBytes } = await scanManifest(this.#directory, nodeFiles)
    const files: Snapshot['files'] = []
    const places = new Map<string, PiecePlace>()
    const add = async (path: string, sizeBytes: number | null, grows: boolean) => {
      if (sizeBytes === null) return
      const pieces = await this.#pieces(path, sizeBytes, grows, places)
      files.push({ path, pieces })
    }
    for (const path of durableFiles) await add(path, await this.#sizeOf(path), false)
    await readRunRecord(this.#directory)
    for (const { files: parts } of entries) {
      for (const part of parts) {
        await add(part.path, part.bytes, false)
        // A damaged part must not replace a good copy.
        if (files.at(-1)?.pieces[0]?.sha256 !== part.sha256) throw changedPart(this.#directory, part, part.bytes)
      }
    }
    for (const folder of logFolders) {
      for (const name of await nodeFiles.list(join(this.#directory, folder))) {
        if (name.endsWith(temporarySuffix)) continue
        const path = `${folder}/${name}`
        await this.#checkLog(path)
        // A log that was packed after the listing is missing: the next snapshot contains the pack.
        await add(path, await this.#sizeOf(path), !name.endsWith('.pack'))
      }
    }
    await add(manifestName, wholeBytes, true)
    files.sort((a, b) => compare(a.path, b.path))
    return { snapshot: { format: 'kun-stream mirror 2', cuts: entries.length, files }, places }
  }

  /** Checks a log once per process: later appends are its own. */
  async #checkLog(path: string): Promise<void> {
    if (this.#checked.has(path) || !isLogPath(path)) return
    const log = join(this.#directory, path)
    const { damage } = await readAppendLog({ files: nodeFiles, path: log }, () => undefined)
    if (damage !== null) throw corrupt(log, damage.offset, `${damage.bytes} bytes are; the mirror keeps what it has`)
    this.#checked.add(path)
  }

  async #pieces(
    path: string,
    sizeBytes: number,
    grows: boolean,
    places: Map<string, PiecePlace>,
  ): Promise<MirrorPiece[]> {
    const step = grows ? pieceBytes : Math.max(sizeBytes, 1)
    const pieces: MirrorPiece[] = []
    for (let offset = 0; offset < sizeBytes; offset += step) {
      const bytes = Math.min(step, sizeBytes - offset)
      const known = path.includes('/') ? `${path}:${offset}:${bytes}` : null
      const piece = (known && this.#hashed.get(known)) || (await hashPiece(join(this.#directory, path), offset, bytes))
      if (known !== null && (!grows || bytes === pieceBytes)) this.#hashed.set(known, piece)
      pieces.push(piece)
      places.set(piece.sha256, { path: join(this.#directory, path), offset, piece })
    }
    return pieces
  }

  async #sizeOf(path: string): Promise<number | null> {
    return nodeFiles.sizeBytes(join(this.#directory, path))
  }
}

async function hashPiece(path: string, offset: number, bytes: number): Promise<MirrorPiece> {
  const hash = createHash('sha256')
  for await (const chunk of piecesOf({ path, offset, piece: { sha256: '', bytes } })) hash.update(chunk)
  return { sha256: hash.digest('hex'), bytes }
}

/** Appends the bytes of a piece to a file; returns false if they do not have its hash. */
export async function writePiece(
  file: OpenFile,
  piece: MirrorPiece,
  bytes: AsyncIterable<Uint8Array>,
): Promise<boolean> {
  const hash = createHash('sha256')
  for await (const part of bytes) {
    hash.update(part)
    await file.write(part)
  }
  return hash.digest('hex') === piece.sha256
}

/** Yields the bytes of a piece from the run directory. */
export async function* piecesOf({ path, offset, piece }: PiecePlace): AsyncGenerator<Uint8Array> {
  const file = await open(path, 'r')
  try {
    const buffer = Buffer.allocUnsafe(Math.min(readBytes, Math.max(1, piece.bytes)))
    for (let at = 0; at < piece.bytes; ) {
      const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, piece.bytes - at), offset + at)
      if (bytesRead === 0) throw new RangeError(say`${path} became shorter than ${offset + piece.bytes} bytes`)
      yield buffer.subarray(0, bytesRead)
      at += bytesRead
    }
  } finally {
    await file.close()
  }
}
