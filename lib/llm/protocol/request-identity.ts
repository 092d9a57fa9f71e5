/**
 * The identity of a request: canonical JSON, the key of its reply and the seed it is asked with.
 * Given by the record, the stage, the attempt and the request alone: never by endpoint, time or order.
 */
import { createHash } from 'node:crypto'

/** JSON with the keys of every object in code unit order, and what is undefined left out. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item === undefined ? null : item)).join(',')}]`
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null'
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${canonicalJson(field)}`).join(',')}}`
}

/** 16 bytes: one prompt of one record at one stage and attempt; nothing is shared between records. */
export function replyKey(record: string, stage: string, attempt: number, canonicalRequest: string): Buffer {
  const head = JSON.stringify([record, stage, attempt])
  return createHash('sha256').update(head).update('\n').update(canonicalRequest).digest().subarray(0, 16)
}

/** The seed of a request, 0 … 2^31 − 1: every server takes that range. */
export function requestSeed(recipeSeed: number, record: string, stage: string, attempt: number): number {
  const parts = JSON.stringify([recipeSeed, record, stage, attempt])
  return createHash('sha256').update(parts).digest().readUInt32LE(0) >>> 1
}
