/**
 * Reads records that are flat objects, as nearly all are, without JSON.parse: the kernel converts the text from the block's UTF-8
 * to code units in the memory (text-memory.ts), and no string of it is made. Any other record is left to JSON.parse: one with
 * an object or a list, a number that is not a short integer, a repeated field, or invalid JSON.
 */
import { Buffer } from 'node:buffer'
import { codesToString } from './code-units.js'
import type { FieldMapping } from './mapping.js'
import type { TextMemory } from './text-memory.js'

const quote = 0x22
const backslash = 0x5c
const openBrace = 0x7b
const closeBrace = 0x7d
const comma = 0x2c
const colon = 0x3a
const newline = 0x0a
/** Digits of an integer that a Number always represents exactly. */
const digitsMax = 15

type Role = 'text' | 'id' | 'title'

/** Reads one record of a block at a time; its fields hold the result until the next call. */
export class FlatReader {
  key = ''
  title = ''
  /** Position after the record. */
  end = 0
  /** Whether reading ended at a string that is invalid in JSON: no other reader can read the record. */
  isInvalid = false

  #at = 0
  #bytes: Uint8Array = new Uint8Array(0)
  #bounded = false
  /** Code units of unescaped strings written so far. */
  #used = 0
  /** Those of the text. */
  #textFrom = 0
  #textTo = 0
  #names: readonly (readonly [Role, Uint8Array])[] = []

  readonly #memory: TextMemory

  constructor(memory: TextMemory) {
    this.#memory = memory
  }

  /** A view: take it at each use, because growing the memory detaches earlier ones. The next record overwrites it. */
  get text(): Uint16Array {
    return this.#memory.plain.view.subarray(this.#textFrom, this.#textTo)
  }

  /**
   * Prepares to read the block in the memory, which ends in a 0.
   *
   * @param bounded records may contain line ends, because bounds state where they end
   */
  open(mapping: FieldMapping, bounded: boolean): void {
    this.#bounded = bounded
    const names = (['text', 'id', 'title'] as const).flatMap((role) => {
      const name = mapping[role]
      return name === undefined ? [] : [[role, name] as const]
    })
    // If a field has two roles, no field is searched for: without a text, no record counts as flat.
    const once = new Set(names.map(([, name]) => name)).size === names.length
    this.#names = once ? names.map(([role, name]) => [role, Buffer.from(name)]) : []
  }

  /** Reads the record at `start`. Returns false if it is not flat or has no text: JSON.parse must read it. */
  read(start: number): boolean {
    this.#bytes = this.#memory.blockBytes.view
    this.isInvalid = false
    this.#at = start
    this.#used = 0
    this.key = this.title = ''
    const found = { text: false, id: false, title: false }
    if (this.#next() !== openBrace) return false
    do {
      if (this.#next() !== quote) return false
      const role = this.#name()
      if (role === null || this.#next() !== colon) return false
      if (role !== 'other') {
        if (found[role]) return false
        found[role] = true
      }
      if (!this.#value(role)) return false
      this.#blanks()
    } while (this.#bytes[this.#at++] === comma)
    if (this.#bytes[this.#at - 1] !== closeBrace || !found.text || this.#textFrom === this.#textTo) return false
    this.end = this.#at
    return true
  }

  /** Skips blanks and returns the byte after them. */
  #next(): number | undefined {
    this.#blanks()
    return this.#bytes[this.#at++]
  }

  #blanks(): void {
    this.#at = skipBlanks(this.#bytes, this.#at)
    while (this.#bounded && this.#bytes[this.#at] === newline) this.#at = skipBlanks(this.#bytes, this.#at + 1)
  }

  /** Reads a name and returns its role; null if it contains an escape or does not end. */
  #name(): Role | 'other' | null {
    const [bytes, start] = [this.#bytes, this.#at]
    let at = start
    for (let byte = bytes[at]; byte !== quote; byte = bytes[++at]) {
      if (byte === undefined || byte === backslash || byte < 0x20) return null
    }
    this.#at = at + 1
    for (const [role, name] of this.#names) if (isSame(bytes, start, at, name)) return role
    return 'other'
  }

  #value(role: Role | 'other'): boolean {
    const first = this.#next()
    if (first === quote) return this.#string(role)
    if (role === 'text') return false
    if (first === 0x74) return this.#word('rue')
    if (first === 0x66) return this.#word('alse')
    if (first === 0x6e) return this.#word('ull')
    return this.#number(role, first)
  }

  #string(role: Role | 'other'): boolean {
    const from = this.#used
    if (!this.#unescape()) return false
    const codes = this.#memory.plain.view
    if (role === 'text') {
      this.#textFrom = from
      this.#textTo = this.#used
    } else if (role === 'id') this.key = codesToString(codes, from, this.#used)
    else if (role === 'title') this.title = codesToString(codes, from, this.#used)
    return true
  }

  /** Writes the string at the current position to the memory, without its escapes, up to its closing quote. */
  #unescape(): boolean {
    const { kernel, blockBytes, plain } = this.#memory
    const count = kernel.readString(blockBytes.base + this.#at, plain.base + 2 * this.#used)
    if (count < 0) {
      // A control character, an invalid escape, or the end of the block.
      this.isInvalid = true
      return false
    }
    this.#used += count
    this.#at += kernel.stringBytes.value as number
    return true
  }

  #word(rest: string): boolean {
    for (let index = 0; index < rest.length; index++) {
      if (this.#bytes[this.#at++] !== rest.charCodeAt(index)) return false
    }
    return true
  }

  /** Reads a short integer; returns false for any other number. */
  #number(role: Role | 'other', first: number | undefined): boolean {
    const bytes = this.#bytes
    const start = this.#at - 1
    if (first === undefined || !isDigit(first)) return false
    while (isDigit(bytes[this.#at] as number)) this.#at++
    const next = bytes[this.#at]
    const more = next === 0x2e || next === 0x65 || next === 0x45
    const digits = this.#at - start
    if (more || digits > digitsMax || (first === 0x30 && digits > 1)) return false
    if (role === 'id') this.key = String.fromCharCode(...bytes.subarray(start, this.#at))
    return true
  }
}

/** Returns the position after blanks other than line feeds. */
export function skipBlanks(bytes: Uint8Array, from: number): number {
  let at = from
  for (let byte = bytes[at]; byte === 0x20 || byte === 0x09 || byte === 0x0d; byte = bytes[at]) at++
  return at
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39
}

function isSame(bytes: Uint8Array, start: number, end: number, name: Uint8Array): boolean {
  if (end - start !== name.length) return false
  for (let index = 0; index < name.length; index++) if (bytes[start + index] !== name[index]) return false
  return true
}
