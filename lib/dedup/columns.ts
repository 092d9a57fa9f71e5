/** Builds a block for the deduplicator from texts, without a worker: for the library, tests and benches. */
import type { PreparedBlock } from '../text/block.js'
import { chunkColumnsOf, fingerprintBytes } from '../text/columns.js'
import type { Signer } from '../text/signature.js'

/** Signs each text and makes it a row. Columns that the deduplicator does not read are zero or empty. */
export function signedBlock(number: number, texts: readonly string[], signer: Signer): PreparedBlock {
  const encoded = texts.map((text) => Buffer.from(text))
  const offsets = new Int32Array(texts.length + 1)
  encoded.forEach((bytes, row) => {
    offsets[row + 1] = (offsets[row] as number) + bytes.length
  })
  const chunks = chunkColumnsOf(texts.length, signer.signatureLength, {
    text: { offsets, bytes: Buffer.concat(encoded) },
  })
  const { letters, fingerprint, signature, signatureLength } = chunks
  texts.forEach((text, row) => {
    letters[row] = signer.sign(
      text,
      fingerprint.subarray(row * fingerprintBytes, (row + 1) * fingerprintBytes),
      signature.subarray(row * signatureLength, (row + 1) * signatureLength),
    )
  })
  return { number, split: '', shard: '', documents: texts.length, chunks, rejects: [] }
}
