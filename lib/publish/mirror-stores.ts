/** Stores of a mirror: a directory, such as a mounted disk, a dataset on the Hub, or a bucket (s3-mirror.ts). */

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { dirname, join } from 'node:path'
import { bytesOf } from '../core/read-bytes.js'
import { HubUnavailableError, StorageError } from '../errors.js'
import { fileSlice } from '../http/request-body.js'
import { branchMoved, HubDataset, type Operation } from '../hub/dataset.js'
import { hubSettings, parseRepo } from '../hub/settings.js'
import { stoppableTransport } from '../hub/stoppable-transport.js'
import { type HubTransportOptions, hubTransport } from '../hub/transport.js'
import { say } from '../language/say.js'
import { isS3Address } from '../objects/s3/address.js'
import {
  makeDurableDirectory,
  nodeFiles,
  readWholeFile,
  temporarySuffix,
  wholeFileBytesMax,
  writeFileDurably,
} from '../storage/files.js'
import { encodeSealed } from '../storage/sealed-json.js'
import { type MirrorStore, parseSnapshot, pieceName, snapshotName } from './mirror-layout.js'
import { type PiecePlace, piecesOf, writePiece } from './mirror-snapshot.js'
import { s3Mirror } from './s3-mirror.js'

export interface MirrorStoreOptions {
  /** A directory, `hub:owner/name`, or s3://bucket/prefix. */
  readonly at: string
  readonly token?: string | undefined
  readonly hubUrl?: string | undefined
  readonly connection?: HubTransportOptions | undefined
  readonly signal?: AbortSignal | undefined
}

const operationsPerCommitMax = 100
/** The Hub takes text of up to 10 MB inside a commit. */
const inlineBytesMax = 4 * 1024 * 1024
/** The mirror has one writer: a head that moved indicates a lost response, or a second machine. */
const movesMax = 3

export async function openMirrorStore(options: MirrorStoreOptions): Promise<MirrorStore> {
  if (isS3Address(options.at)) return s3Mirror(options.at, options.signal, options.connection?.onWait)
  if (!options.at.startsWith('hub:')) return directoryStore(options.at, options.signal)
  return hubStore(parseRepo(options.at.slice('hub:'.length)), options)
}

function directoryStore(directory: string, signal: AbortSignal | undefined): MirrorStore {
  return {
    async read() {
      const bytes = await readWholeFile(nodeFiles, join(directory, snapshotName), wholeFileBytesMax)
      return bytes === null ? null : parseSnapshot(bytes, join(directory, snapshotName))
    },
    async write(snapshot, added, dropped) {
      for (const place of added) {
        signal?.throwIfAborted()
        await copyPiece(place, join(directory, pieceName(place.piece.sha256)))
      }
      await makeDurableDirectory(nodeFiles, directory)
      await writeFileDurably(nodeFiles, join(directory, snapshotName), Buffer.from(encodeSealed(snapshot, 'compact')))
      for (const sha256 of dropped) await nodeFiles.remove(join(directory, pieceName(sha256)))
    },
    piece: ({ sha256 }) => bytesOf(createReadStream(join(directory, pieceName(sha256)))),
    close: async () => {},
  }
}

/** @throws {StorageError} the file was replaced after it was hashed, as stats.json is at the end of a run */
async function copyPiece(place: PiecePlace, to: string): Promise<void> {
  if ((await nodeFiles.sizeBytes(to)) === place.piece.bytes) return
  await makeDurableDirectory(nodeFiles, dirname(to))
  const file = await nodeFiles.open(to + temporarySuffix, 'write')
  let same: boolean
  try {
    same = await writePiece(file, place.piece, piecesOf(place))
    await file.fsync()
  } finally {
    await file.close()
  }
  if (!same) {
    throw new StorageError(say`${place.path} changed while it was copied to the mirror: the next pass copies it again`)
  }
  await nodeFiles.rename(to + temporarySuffix, to)
  await nodeFiles.fsyncDirectory(dirname(to))
}

async function hubStore(repo: string, options: MirrorStoreOptions): Promise<MirrorStore> {
  const settings = hubSettings(options)
  const transport = stoppableTransport(hubTransport(settings, options.connection), { signal: options.signal })
  const dataset = new HubDataset(repo, settings, transport, options.signal)

  async function commit(operations: readonly Operation[], title: string): Promise<void> {
    for (let moves = 0; moves < movesMax; moves++) {
      const head = await dataset.head('main')
      if (head === null)
        throw new HubUnavailableError(say`the mirror ${repo} is missing on ${settings.url}: was it deleted?`)
      if ((await dataset.commit('main', head, title, operations, false)) !== branchMoved) return
    }
    throw new HubUnavailableError(say`the mirror ${repo} has another writer: give each run its own mirror`)
  }

  async function snapshotOperation(content: string): Promise<Operation> {
    const bytes = Buffer.byteLength(content)
    if (bytes <= inlineBytesMax) return { kind: 'small', path: snapshotName, content }
    const sha256 = createHash('sha256').update(content).digest('hex')
    await dataset.upload(new Blob([content]), sha256)
    return { kind: 'large', path: snapshotName, sha256, bytes }
  }

  return {
    async read() {
      const head = await dataset.head('main')
      if (head === null || !(await dataset.list(head)).has(snapshotName)) return null
      return parseSnapshot(Buffer.from(await dataset.text(head, snapshotName)), `${repo}/${snapshotName}`)
    },
    async write(snapshot, added, dropped) {
      await dataset.checkWriteAccess()
      if ((await dataset.head('main')) === null) await dataset.create(true)
      const operations: Operation[] = []
      for (const { path, offset, piece } of added) {
        await dataset.upload(fileSlice(path, offset, piece.bytes), piece.sha256)
        operations.push({ kind: 'large', path: pieceName(piece.sha256), ...piece })
      }
      const piecesMax = operationsPerCommitMax - 1
      while (operations.length > piecesMax) await commit(operations.splice(0, piecesMax), 'Pieces of a run')
      operations.push(await snapshotOperation(encodeSealed(snapshot, 'compact')))
      await commit(operations, `A run at cut ${snapshot.cuts}`)
      for (let at = 0; at < dropped.length; at += operationsPerCommitMax) {
        const old = dropped.slice(at, at + operationsPerCommitMax)
        const deletions = old.map((sha256): Operation => ({ kind: 'delete', path: pieceName(sha256) }))
        await commit(deletions, 'Delete what no snapshot names')
      }
    },
    async *piece({ sha256, bytes }) {
      const head = await dataset.head('main')
      if (head === null)
        throw new HubUnavailableError(say`the mirror ${repo} is missing on ${settings.url}: was it deleted?`)
      yield* dataset.open(head, { path: pieceName(sha256), sha256, sizeBytes: bytes, oid: '' })
    },
    close: () => transport.close(),
  }
}
