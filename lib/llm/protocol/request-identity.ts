/**
 * Identity of a request: canonical JSON, the key of its reply and its seed. Depends only on the record, the stage, the
 * attempt and the request, not on endpoint, time or order.
 */
import { createHash } from 'node:crypto'

/** Formats JSON with the keys of every object in code unit order; undefined fields are omitted. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item === undefined ? null : item)).join(',')}]`
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null'
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${canonicalJson(field)}`).join(',')}}`
}

/** Returns the key of a reply, 16 bytes: the record is part of it, so records share no replies. */
export function replyKey(record: string, stage: string, attempt: number, canonicalRequest: string): Buffer {
  const head = JSON.stringify([record, stage, attempt])
  return createHash('sha256').update(head).update('\n').update(canonicalRequest).digest().subarray(0, 16)
}

/** Returns the seed of a request, 0 … 2^31 − 1: the range that every server accepts. */
export function requestSeed(recipeSeed: number, record: string, stage: string, attempt: number): number {
  const parts = JSON.stringify([recipeSeed, record, stage, attempt])
  return createHash('sha256').update(parts).digest().readUInt32LE(0) >>> 1
}
