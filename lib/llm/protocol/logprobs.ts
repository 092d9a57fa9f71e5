/**
 * Log-probabilities of a reply's first token, from all forms in which servers send them, with tokens decoded to text.
 * Nothing is guessed: an id in place of a token makes the whole unreadable.
 */
import { asObject } from './json.js'

/** Token text → log-probability; null if the server sent an invalid value. */
export type TokenLogprobs = Readonly<Record<string, number | null>>

/**
 * Chat: `content[0].top_logprobs`, a list; completions: `top_logprobs[0]`, an object. Undefined if there are none,
 * or if tokens are given as ids. A piece of a character is U+FFFD.
 *
 * A value above 0, not finite or not a number is null: the reply is faulty. Of two tokens with the same text the more
 * likely one counts.
 */
export function firstTokenLogprobs(logprobs: unknown): TokenLogprobs | undefined {
  const fields = asObject(logprobs)
  const found = new Map<string, number | null>()
  const note = (token: unknown, logprob: unknown, bytes: unknown) => {
    if (typeof token !== 'string') return
    const text = tokenText(token, bytes)
    const value = validLogprob(logprob)
    const before = found.get(text)
    if (before === undefined) found.set(text, value)
    else if (value === null || (before !== null && value > before)) found.set(text, value)
  }
  if (Array.isArray(fields.content)) {
    const first = asObject(fields.content[0])
    note(first.token, first.logprob, first.bytes)
    for (const top of Array.isArray(first.top_logprobs) ? first.top_logprobs : []) {
      const { token, logprob, bytes } = asObject(top)
      note(token, logprob, bytes)
    }
  } else if (Array.isArray(fields.top_logprobs)) {
    for (const [token, logprob] of Object.entries(asObject(fields.top_logprobs[0]))) note(token, logprob, undefined)
  }
  const isIds = [...found.keys()].some((token) => tokenId.test(token))
  // From entries, so that a token `__proto__` is a key like any other.
  return found.size === 0 || isIds ? undefined : Object.fromEntries(found)
}

/** `token_id:123`, as vLLM sends with --return-tokens-as-token-ids. */
const tokenId = /^token_id:\d+$/

/** Rounding may leave a probability of one a little above it. */
const logprobMax = 1e-3

/** Returns a log-probability; null if it is above 0, not finite or not a number. */
export function validLogprob(value: unknown): number | null {
  if (typeof value !== 'number' || !Number.isFinite(value) || value > logprobMax) return null
  // JSON does not preserve −0.
  return value === 0 ? 0 : value
}

/** Returns the text of a token: from its bytes if sent, from `bytes:\xe5\xa5\xbd`, or from byte-level BPE letters. */
function tokenText(token: string, bytes: unknown): string {
  if (Array.isArray(bytes) && bytes.length > 0 && bytes.every(isByte)) return decode(Uint8Array.from(bytes as number[]))
  if (escapedBytes.test(token)) {
    return decode(
      Uint8Array.from(token.matchAll(/\\x([0-9a-f]{2})/gi), ([, hex]) => Number.parseInt(hex as string, 16)),
    )
  }
  const hex = /^(?:<0x[0-9a-f]{2}>)+$/i.test(token) ? token.match(/[0-9a-f]{2}(?=>)/gi) : null
  if (hex !== null) return decode(Uint8Array.from(hex, (byte) => Number.parseInt(byte, 16)))
  return fromByteLetters(token)
}

const escapedBytes = /^(?:bytes:|b')?(?:\\x[0-9a-f]{2})+'?$/i

function isByte(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 255
}

function decode(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}

/** Shared: creating one for each of twenty tokens took longer than everything else of a grade. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Decodes vocabulary entries that a server sends in place of text: `å¥½` is 好 and `Ġ好` is ' 好'. */
function fromByteLetters(token: string): string {
  if (!/[^\0-\x7f]/.test(token)) return token
  const bytes: number[] = []
  for (const letter of token) {
    const byte = byteOfLetter.get(letter)
    if (byte === undefined) {
      // 'Ġ好': the blank is a letter, the rest is text already.
      return /^[ĠĊ▁]/.test(token) ? ` ${token.slice(1)}` : token
    }
    bytes.push(byte)
  }
  if (!bytes.some((byte) => byte >= 0x80) && !/[ĠĊ]/.test(token)) return token
  try {
    return strictDecoder.decode(Uint8Array.from(bytes))
  } catch {
    // A piece of a character, or Latin text: only bytes that begin a character are recognised as a piece.
    return bytes.every((byte) => byte >= 0x80) ? '\ufffd' : token
  }
}

/** GPT-2's letters for bytes: printable Latin-1 for itself, U+0100 and up for the rest. */
const byteOfLetter: ReadonlyMap<string, number> = (() => {
  const letters = new Map<string, number>()
  let next = 0x100
  for (let byte = 0; byte < 256; byte++) {
    const itself = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff)
    letters.set(String.fromCharCode(itself ? byte : next++), byte)
  }
  return letters
})()
