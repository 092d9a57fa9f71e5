/**
 * Identity of a request: canonical JSON, the key of its reply and its seed. Depends only on the record, the stage, the
 * attempt and the request, not on endpoint, time or order.
 */
import { hash } from 'node:crypto'

/** Formats JSON with the keys of every object in code unit order; undefined fields are omitted. */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null'
  let json = ''
  if (Array.isArray(value)) {
    for (const item of value) json += `${json === '' ? '' : ','}${canonicalJson(item)}`
    return `[${json}]`
  }
  const fields = value as Readonly<Record<string, unknown>>
  for (const name of Object.keys(fields).sort()) {
    const field = fields[name]
    if (field !== undefined) json += `${json === '' ? '' : ','}${JSON.stringify(name)}:${canonicalJson(field)}`
  }
  return `{${json}}`
}

/** Returns the key of a reply, 16 bytes: the record is part of it, so records share no replies. */
export function replyKey(record: string, stage: string, attempt: number, canonicalRequest: string): Buffer {
  // In one call each: a hash object and its digest cost three times as much.
  const parts = `${JSON.stringify([record, stage, attempt])}\n${canonicalRequest}`
  return hash('sha256', parts, 'buffer').subarray(0, 16)
}

/** Returns the seed of a request, 0 … 2^31 − 1: the range that every server accepts. */
export function requestSeed(recipeSeed: number, record: string, stage: string, attempt: number): number {
  const parts = JSON.stringify([recipeSeed, record, stage, attempt])
  return hash('sha256', parts, 'buffer').readUInt32LE(0) >>> 1
}
