// Records of kept documents, contiguous so that verifying one touches two or three cache lines: key (16 bytes), id (16), offset
// of the text (6), signature.
import { longer, take } from './memory'

const documentsPerPage: u32 = 256
/** Pages of memory that adding a document may take: a page of documents with signatures of 512 bytes, a longer list. */
export const pagesPerDocument: u32 = 16
const idAt: usize = 16
const textAt: usize = 32
const signatureAt: usize = 38
/** An offset of a text has 48 bits, of which the last value is −1. */
const textMask: u64 = 0xffffffffffff

export let documents: u32 = 0
let pages: usize = 0
let pagesMax: u32 = 64
let recordBytes: usize = 0
/** Bytes of a signature with zero padding, and of the padding. */
let paddedBytes: usize = 0
let padding: u32 = 0

export function configureDocuments(minima: u32): void {
  paddedBytes = (minima + 15) & ~15
  padding = <u32>paddedBytes - minima
  recordBytes = signatureAt + paddedBytes
  pages = take(<usize>pagesMax << 2)
}

/** Adds a document: `row` is key and signature, zero-padded; `id` has 16 bytes. Returns its number. */
export function addDocument(row: usize, id: usize, text: f64): u32 {
  const document = documents++
  if ((document & (documentsPerPage - 1)) == 0) addPage(document / documentsPerPage)
  const at = recordOf(document)
  v128.store(at, v128.load(row))
  v128.store(at, v128.load(id), idAt)
  store<u32>(at, <u32><i64>text, textAt)
  store<u16>(at, <u16>(<i64>text >> 32), textAt + 4)
  for (let i: usize = 0; i < paddedBytes; i += 16) v128.store(at + signatureAt + i, v128.load(row + 16 + i))
  return document
}

function addPage(page: u32): void {
  if (page == pagesMax) {
    pages = longer(pages, pagesMax)
    pagesMax <<= 1
  }
  store<u32>(pages + (<usize>page << 2), <u32>take(recordBytes * documentsPerPage))
}

export function hasKey(document: u32, key: usize): bool {
  return !v128.any_true(v128.xor(v128.load(recordOf(document)), v128.load(key)))
}

/** Returns the number of bytes that are equal to those at `signature`. */
export function equalMinima(document: u32, signature: usize): u32 {
  const own = signatureOf(document)
  let equal: u32 = 0
  for (let i: usize = 0; i < paddedBytes; i += 16) {
    equal += popcnt(i8x16.bitmask(i8x16.eq(v128.load(own + i), v128.load(signature + i))))
  }
  return equal - padding
}

@inline
export function signatureOf(document: u32): usize {
  return recordOf(document) + signatureAt
}

export function idOf(document: u32): usize {
  return recordOf(document) + idAt
}

export function textOf(document: u32): f64 {
  const text = load<u64>(recordOf(document), textAt) & textMask
  return text == textMask ? -1.0 : <f64>text
}

/** Reads all cache lines of a record, up to signatures of 128 bytes. */
@inline
export function readDocument(document: u32): u32 {
  const record = recordOf(document)
  return load<u32>(record) ^ load<u32>(record, 64) ^ load<u32>(record, 128)
}

/** Address of the record of a document. */
@inline
export function recordOf(document: u32): usize {
  const page = load<u32>(pages + (<usize>(document / documentsPerPage) << 2))
  return <usize>page + <usize>(document & (documentsPerPage - 1)) * recordBytes
}
