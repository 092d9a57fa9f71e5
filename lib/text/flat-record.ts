/**
 * Records that are flat objects, as nearly all are, taken apart without JSON.parse: the text goes from the block's code
 * units to where it is cleaned (text-memory.ts), and no string is made of it. Whatever is not plainly such a record – an
 * object or a list in it, a number that is no short whole one, a field named twice, anything that is no JSON – is left to
 * JSON.parse, so that nothing is decided here about what JSON is.
 */
import { codesToString } from './clean.js'
import type { FieldMapping } from './mapping.js'
import type { TextMemory } from './text-memory.js'
import { codesOf } from './well-formed.js'

const quote = 0x22
const backslash = 0x5c
const openBrace = 0x7b
const closeBrace = 0x7d
const comma = 0x2c
const colon = 0x3a
const newline = 0x0a
const letterU = 0x75
/** Digits of a whole number that no Number rounds. */
const digitsMax = 15

/** What a backslash and one of these stand for. */
const escapes = new Map(
  [...'"\\/bfnrt'].map((character, index) => [character.charCodeAt(0), '"\\/\b\f\n\r\t'.charCodeAt(index)]),
)

type Role = 'text' | 'id' | 'title'

/** Reads one record after the other of a block's units; what it found stands in its fields until the next. */
export class FlatReader {
  key = ''
  title = ''
  /** A view that is good until the next record. */
  text: Uint16Array = new Uint16Array(0)
  /** Behind the record. */
  end = 0

  private at = 0
  private units: Uint16Array = new Uint16Array(0)
  private bounded = false
  /** Units of strings without their escapes. */
  private used = 0
  private names: readonly (readonly [Role, Uint16Array])[] = []

  constructor(private readonly memory: TextMemory) {}

  /**
   * To read from the block in the memory, which ends in a 0.
   *
   * @param bounded a line end may stand within a record, for something else says where it ends
   */
  open(mapping: FieldMapping, bounded: boolean): void {
    this.bounded = bounded
    const names = (['text', 'id', 'title'] as const).flatMap((role) => {
      const name = mapping[role]
      return name === undefined ? [] : [[role, name] as const]
    })
    // A field in two roles is not looked for: without a text, no record is flat.
    const once = new Set(names.map(([, name]) => name)).size === names.length
    this.names = once ? names.map(([role, name]) => [role, codesOf(name)]) : []
  }

  /** False where the record at `start` is not flat, or has no text: JSON.parse tells what it is. */
  read(start: number): boolean {
    this.units = this.memory.block.view
    this.at = start
    this.used = 0
    this.key = this.title = ''
    const found = { text: false, id: false, title: false }
    if (this.pass() !== openBrace) return false
    do {
      if (this.pass() !== quote) return false
      const role = this.name()
      if (role === null || this.pass() !== colon) return false
      if (role !== 'other') {
        if (found[role]) return false
        found[role] = true
      }
      if (!this.value(role)) return false
      this.blanks()
    } while (this.units[this.at++] === comma)
    if (this.units[this.at - 1] !== closeBrace || !found.text || this.text.length === 0) return false
    this.end = this.at
    return true
  }

  /** The unit behind blanks, passed over. */
  private pass(): number | undefined {
    this.blanks()
    return this.units[this.at++]
  }

  private blanks(): void {
    this.at = behindBlanks(this.units, this.at)
    while (this.bounded && this.units[this.at] === newline) this.at = behindBlanks(this.units, this.at + 1)
  }

  /** The role of the name that begins here; null where it has an escape or does not end. */
  private name(): Role | 'other' | null {
    const { units, at: start } = this
    let at = start
    for (let unit = units[at]; unit !== quote; unit = units[++at]) {
      if (unit === undefined || unit === backslash || unit < 0x20) return null
    }
    this.at = at + 1
    for (const [role, name] of this.names) if (sameUnits(units, start, at, name)) return role
    return 'other'
  }

  private value(role: Role | 'other'): boolean {
    const first = this.pass()
    if (first === quote) return this.string(role)
    if (role === 'text') return false
    if (first === 0x74) return this.word('rue')
    if (first === 0x66) return this.word('alse')
    if (first === 0x6e) return this.word('ull')
    return this.number(role, first)
  }

  private string(role: Role | 'other'): boolean {
    const from = this.used
    if (!this.unescape()) return false
    const codes = this.memory.plain.view
    if (role === 'text') this.text = codes.subarray(from, this.used)
    else if (role === 'id') this.key = codesToString(codes, from, this.used)
    else if (role === 'title') this.title = codesToString(codes, from, this.used)
    return true
  }

  /** Copies the string that begins here to the plain ones, up to its closing quote. */
  private unescape(): boolean {
    const { units } = this
    const { kernel, block, plain } = this.memory
    let { at, used } = this
    for (;;) {
      const copied = kernel.copyPlain(block.base + 2 * at, plain.base + 2 * used)
      used += copied
      at += copied
      const unit = units[at++]
      if (unit === quote) break
      if (unit !== backslash) return false // a control character, or nothing more
      const escaped = units[at++] as number
      const code = escapes.get(escaped) ?? (escaped === letterU ? hexOf(units, at) : -1)
      if (code < 0) return false
      if (escaped === letterU) at += 4
      plain.view[used++] = code
    }
    this.used = used
    this.at = at
    return true
  }

  private word(rest: string): boolean {
    for (let index = 0; index < rest.length; index++) {
      if (this.units[this.at++] !== rest.charCodeAt(index)) return false
    }
    return true
  }

  /** A short whole number: any other is written in ways that JSON.parse is asked about. */
  private number(role: Role | 'other', first: number | undefined): boolean {
    const { units } = this
    const start = this.at - 1
    if (first === undefined || !isDigit(first)) return false
    while (isDigit(units[this.at] as number)) this.at++
    const next = units[this.at]
    const more = next === 0x2e || next === 0x65 || next === 0x45
    const digits = this.at - start
    if (more || digits > digitsMax || (first === 0x30 && digits > 1)) return false
    if (role === 'id') this.key = codesToString(units, start, this.at)
    return true
  }
}

/** Blanks that may stand in a line. */
export function behindBlanks(units: Uint16Array, from: number): number {
  let at = from
  for (let unit = units[at]; unit === 0x20 || unit === 0x09 || unit === 0x0d; unit = units[at]) at++
  return at
}

/** The code unit of four hexadecimal digits; −1 where they are none. */
function hexOf(units: Uint16Array, at: number): number {
  let code = 0
  for (let index = at; index < at + 4; index++) {
    const digit = hexDigit(units[index] as number)
    if (digit < 0) return -1
    code = code * 16 + digit
  }
  return code
}

function hexDigit(unit: number): number {
  if (isDigit(unit)) return unit - 0x30
  const letter = unit | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}

function isDigit(unit: number): boolean {
  return unit >= 0x30 && unit <= 0x39
}

function sameUnits(units: Uint16Array, start: number, end: number, name: Uint16Array): boolean {
  if (end - start !== name.length) return false
  for (let index = 0; index < name.length; index++) if (units[start + index] !== name[index]) return false
  return true
}
