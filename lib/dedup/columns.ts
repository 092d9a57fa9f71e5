/** Texts that no worker prepared, as a block for the deduplicator: the command line's way, and that of tests and benches. */
import type { PreparedBlock } from '../text/batch.js'
import type { Signer } from '../text/signature.js'
import { keyBytes } from './kept-documents.js'

const noText = { offsets: new Int32Array(1), bytes: new Uint8Array(0) }

/** One row a text, signed here. Columns the deduplicator does not look at are empty. */
export function signedBlock(number: number, texts: readonly string[], signer: Signer): PreparedBlock {
  const rows = texts.length
  const encoded = texts.map((text) => Buffer.from(text))
  const offsets = new Int32Array(rows + 1)
  encoded.forEach((bytes, row) => {
    offsets[row + 1] = (offsets[row] as number) + bytes.length
  })
  const letters = new Int32Array(rows)
  const fingerprint = new Uint8Array(rows * keyBytes)
  const signature = new Uint8Array(rows * signer.minima)
  texts.forEach((text, row) => {
    const key = fingerprint.subarray(row * keyBytes, (row + 1) * keyBytes)
    const minima = signature.subarray(row * signer.minima, (row + 1) * signer.minima)
    letters[row] = signer.sign(text, key, minima)
  })
  const zeros = new Int32Array(rows)
  const text = { offsets, bytes: Buffer.concat(encoded) }
  const chunks = { rows, document: zeros, chunk: zeros, offset: new Float64Array(rows), key: noText, title: noText }
  return {
    number,
    split: '',
    shard: '',
    documents: rows,
    chunks: { ...chunks, text, tokens: zeros, letters, fingerprint, signature },
    rejects: [],
  }
}
