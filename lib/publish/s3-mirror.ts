/** A mirror in a bucket, below a prefix. */
import { StorageError } from '../errors.js'
import type { RetryWait } from '../http/outage.js'
import { fileSlice } from '../http/request-body.js'
import { say } from '../language/say.js'
import { parseS3Address } from '../objects/s3/address.js'
import { describeObject, readObject, removeObject } from '../objects/s3/object-reads.js'
import { writeObject } from '../objects/s3/object-writes.js'
import { S3File } from '../objects/s3/s3-file.js'
import { s3Settings } from '../objects/s3/settings.js'
import { S3Transport } from '../objects/s3/transport.js'
import { hashOf } from '../objects/s3/write-outcome.js'
import { encodeSealed } from '../storage/sealed-json.js'
import { type MirrorStore, parseSnapshot, pieceName, snapshotName } from './mirror-layout.js'
import type { PiecePlace } from './mirror-snapshot.js'

/** @param at s3://bucket/prefix, with the settings of the AWS_* variables */
export function s3Mirror(at: string, signal: AbortSignal | undefined, onWait?: (wait: RetryWait) => void): MirrorStore {
  const { bucket, prefix } = parseS3Address(at)
  const transport = new S3Transport(bucket, s3Settings(), { renewed: s3Settings, onWait })
  const keyOf = (name: string) => (prefix === '' ? name : `${prefix}/${name}`)
  const put = (name: string, content: Parameters<typeof writeObject>[1]['content']) =>
    writeObject(transport, { key: keyOf(name), content, ifAbsent: false })

  async function copyPiece({ path, offset, piece }: PiecePlace): Promise<void> {
    const name = pieceName(piece.sha256)
    if ((await describeObject(transport, keyOf(name)))?.bytes === piece.bytes) return
    const content = fileSlice(path, offset, piece.bytes)
    // Replaced after it was hashed, as stats.json is at the end of a run.
    if ((await hashOf(content)) !== piece.sha256) {
      throw new StorageError(say`${path} changed while it was copied to the mirror: the next pass copies it again`)
    }
    await put(name, content)
  }

  return {
    async read() {
      const bytes = await readObject(transport, keyOf(snapshotName))
      return bytes === null ? null : parseSnapshot(bytes, `s3://${bucket}/${keyOf(snapshotName)}`)
    },
    async write(snapshot, added, dropped) {
      for (const place of added) {
        signal?.throwIfAborted()
        await copyPiece(place)
      }
      await put(snapshotName, Buffer.from(encodeSealed(snapshot, 'compact')))
      for (const sha256 of dropped) await removeObject(transport, keyOf(pieceName(sha256)))
    },
    piece: ({ sha256, bytes }) =>
      new S3File(transport, { key: keyOf(pieceName(sha256)), bytes, etag: '' }).open(
        0,
        signal ?? new AbortController().signal,
      ),
    close: () => transport.close(),
  }
}
