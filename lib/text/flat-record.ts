/**
 * Reads records that are flat objects, as nearly all are, without JSON.parse: the text is copied from the block's code units
 * to where it is cleaned (text-memory.ts), and no string of it is made. Any other record is left to JSON.parse: one with
 * an object or a list, a number that is not a short integer, a repeated field, or invalid JSON.
 */
import { codesOf, codesToString } from './code-units.js'
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

  #at = 0
  #units: Uint16Array = new Uint16Array(0)
  #bounded = false
  /** Code units of unescaped strings written so far. */
  #used = 0
  /** Those of the text. */
  #textFrom = 0
  #textTo = 0
  #names: readonly (readonly [Role, Uint16Array])[] = []

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
    this.#names = once ? names.map(([role, name]) => [role, codesOf(name)]) : []
  }

  /** Reads the record at `start`. Returns false if it is not flat or has no text: JSON.parse must read it. */
  read(start: number): boolean {
    this.#units = this.#memory.block.view
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
    } while (this.#units[this.#at++] === comma)
    if (this.#units[this.#at - 1] !== closeBrace || !found.text || this.#textFrom === this.#textTo) return false
    this.end = this.#at
    return true
  }

  /** Skips blanks and returns the code unit after them. */
  #next(): number | undefined {
    this.#blanks()
    return this.#units[this.#at++]
  }

  #blanks(): void {
    this.#at = skipBlanks(this.#units, this.#at)
    while (this.#bounded && this.#units[this.#at] === newline) this.#at = skipBlanks(this.#units, this.#at + 1)
  }

  /** Reads a name and returns its role; null if it contains an escape or does not end. */
  #name(): Role | 'other' | null {
    const [units, start] = [this.#units, this.#at]
    let at = start
    for (let unit = units[at]; unit !== quote; unit = units[++at]) {
      if (unit === undefined || unit === backslash || unit < 0x20) return null
    }
    this.#at = at + 1
    for (const [role, name] of this.#names) if (sameUnits(units, start, at, name)) return role
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

  /** Copies the string at the current position, without its escapes, up to its closing quote. */
  #unescape(): boolean {
    const { kernel, block, plain } = this.#memory
    const count = kernel.unescape(block.base + 2 * this.#at, plain.base + 2 * this.#used)
    // A control character, an invalid escape, or the end of the block.
    if (count < 0) return false
    this.#used += count
    this.#at += kernel.unescapedUnits.value as number
    return true
  }

  #word(rest: string): boolean {
    for (let index = 0; index < rest.length; index++) {
      if (this.#units[this.#at++] !== rest.charCodeAt(index)) return false
    }
    return true
  }

  /** Reads a short integer; returns false for any other number. */
  #number(role: Role | 'other', first: number | undefined): boolean {
    const units = this.#units
    const start = this.#at - 1
    if (first === undefined || !isDigit(first)) return false
    while (isDigit(units[this.#at] as number)) this.#at++
    const next = units[this.#at]
    const more = next === 0x2e || next === 0x65 || next === 0x45
    const digits = this.#at - start
    if (more || digits > digitsMax || (first === 0x30 && digits > 1)) return false
    if (role === 'id') this.key = codesToString(units, start, this.#at)
    return true
  }
}

/** Returns the position after blanks other than line feeds. */
export function skipBlanks(units: Uint16Array, from: number): number {
  let at = from
  for (let unit = units[at]; unit === 0x20 || unit === 0x09 || unit === 0x0d; unit = units[at]) at++
  return at
}

function isDigit(unit: number): boolean {
  return unit >= 0x30 && unit <= 0x39
}

function sameUnits(units: Uint16Array, start: number, end: number, name: Uint16Array): boolean {
  if (end - start !== name.length) return false
  for (let index = 0; index < name.length; index++) if (units[start + index] !== name[index]) return false
  return true
}
