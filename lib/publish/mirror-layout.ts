/** What every store of a mirror holds: pieces named by their sha256, and mirror.json, which names them. */
import { CorruptFileError } from '../errors.js'
import { say } from '../language/say.js'
import { decodeSealed } from '../storage/sealed-json.js'
import { type MirrorPiece, type PiecePlace, type Snapshot, snapshotSchema } from './mirror-snapshot.js'

export interface MirrorStore {
  /** Returns null if there is no mirror yet. */
  read(): Promise<Snapshot | null>
  /** Makes the pieces durable, then the snapshot that names them, then deletes the dropped pieces. */
  write(snapshot: Snapshot, added: readonly PiecePlace[], dropped: readonly string[]): Promise<void>
  piece(piece: MirrorPiece): AsyncIterable<Uint8Array>
  close(): Promise<void>
}

export const snapshotName = 'mirror.json'

/** Keeps directories small: the Hub recommends fewer than 10,000 files in one. */
export function pieceName(sha256: string): string {
  return `pieces/${sha256.slice(0, 2)}/${sha256}`
}

export function parseSnapshot(bytes: Uint8Array, where: string): Snapshot {
  const value = decodeSealed(bytes, where, say`Give the place that mirror.to names, or mirror to another one`)
  const parsed = snapshotSchema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new CorruptFileError(say`${where} is not a mirror of a run: give the place that mirror.to names`, {
    cause: parsed.error,
  })
}
