/**
 * Fingerprints and MinHash signatures of texts, at the speed of the machine: owns the WebAssembly kernel of this
 * thread. What a signature means is lib/text/kernel/reference-kernel.ts; what follows from one is lib/dedup.
 */
import { readFile } from 'node:fs/promises'
import { InvalidOptionError } from '../errors.js'
import { type FoldTables, makeFoldTables } from './kernel/fold-tables.js'
import { comparisonForm, sketchKeys } from './kernel/reference-kernel.js'

export { comparisonForm } from './kernel/reference-kernel.js'

export interface SignerOptions {
  /** UTF-16 units of the comparison form in a shingle, 1 … 64; 5 by default. */
  readonly ngram?: number
  /** Minima of a signature (bins of the sketch), 0 (fingerprint only) … 512; 128 by default. */
  readonly minima?: number
  /** Unsigned 32 bits; 1 by default. Signatures of different seeds or lengths cannot be compared; the fingerprint has none. */
  readonly seed?: number
}

export interface Signer {
  readonly ngram: number
  readonly minima: number
  readonly seed: number
  /**
   * Writes the 128-bit fingerprint and the signature of the text's comparison form.
   *
   * A form shorter than a shingle has a signature of one byte again and again, which says nothing.
   * @param fingerprint 16 bytes
   * @param signature `minima` bytes, one a minimum
   * @returns the UTF-16 units of the comparison form (a letter beyond the BMP counts 2)
   */
  sign(text: string, fingerprint: Uint8Array, signature: Uint8Array): number
  /** The same of codes[start … end), into row `row` of columns of fingerprints and signatures. */
  signUnits(
    codes: Uint16Array,
    start: number,
    end: number,
    row: number,
    fingerprints: Uint8Array,
    signatures: Uint8Array,
  ): number
  /** The comparison form as UTF-16 units: a view into the kernel's memory, valid until the next call. */
  form(text: string): Uint16Array
}

interface Kernel {
  readonly memory: WebAssembly.Memory
  readonly foldBase: WebAssembly.Global
  readonly expansionBase: WebAssembly.Global
  readonly pictureBase: WebAssembly.Global
  readonly keyBase: WebAssembly.Global
  readonly signatureBase: WebAssembly.Global
  readonly fingerprintBase: WebAssembly.Global
  readonly inputBase: WebAssembly.Global
  readonly binsMax: WebAssembly.Global
  sign(units: number, formBase: number, formUnitsMax: number, minima: number, ngram: number): number
  signForm(formBase: number, letters: number, minima: number, ngram: number): void
}

/** Units that the form may have beyond those of the text before the slow way is taken. */
const formUnitsSlack = 64
/** Read and written beyond the form: three shingles too many, and the fingerprint's zero padding. */
const formPaddingBytes = 256
const pageBytes = 65536

let tables: FoldTables | undefined
let compiled: Promise<WebAssembly.Module> | undefined

/**
 * A signer of its own memory; the module is compiled and the fold tables are made once a thread.
 *
 * @throws {InvalidOptionError} ngram, minima or seed out of range
 */
export async function createSigner(options: SignerOptions = {}): Promise<Signer> {
  const { ngram = 5, minima = 128, seed = 1 } = options
  checkInteger('ngram', ngram, 1, 64)
  checkInteger('minima', minima, 0, 512)
  checkInteger('seed', seed, 0, 0xffffffff)
  compiled ??= readFile(new URL('./kernel/kernel.wasm', import.meta.url)).then((bytes) => WebAssembly.compile(bytes))
  const instance = await WebAssembly.instantiate(await compiled)
  tables ??= makeFoldTables()
  return new KernelSigner(instance.exports as unknown as Kernel, tables, ngram, minima, seed)
}

function checkInteger(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return
  throw new InvalidOptionError(`${name} is ${value}: give a whole number from ${min} to ${max}`)
}

class KernelSigner implements Signer {
  readonly #kernel: Kernel
  readonly #inputBase: number
  #bytes: Buffer
  #units: Uint16Array
  #signature: Uint8Array
  #fingerprint: Uint8Array
  #unitsMax = 0
  #formBase = 0
  #formUnitsMax = 0

  constructor(
    kernel: Kernel,
    tables: FoldTables,
    readonly ngram: number,
    readonly minima: number,
    readonly seed: number,
  ) {
    this.#kernel = kernel
    this.#inputBase = kernel.inputBase.value
    const { buffer } = kernel.memory
    new Uint16Array(buffer, kernel.foldBase.value, tables.fold.length).set(tables.fold)
    new Uint16Array(buffer, kernel.expansionBase.value, tables.expansions.length).set(tables.expansions)
    new Uint8Array(buffer, kernel.pictureBase.value, tables.pictures.length).set(tables.pictures)
    const keys = sketchKeys(minima, seed)
    new Uint32Array(buffer, kernel.keyBase.value, keys.length).set(keys)
    this.#bytes = Buffer.from(buffer)
    this.#units = new Uint16Array(0)
    this.#signature = new Uint8Array(0)
    this.#fingerprint = new Uint8Array(0)
    this.#makeRoom(16384, 0)
  }

  sign(text: string, fingerprint: Uint8Array, signature: Uint8Array): number {
    if (signature.length !== this.minima) {
      throw new InvalidOptionError(`signature has ${signature.length} places: give ${this.minima}`)
    }
    const letters = this.#run(text, this.minima)
    this.#copyOut(0, fingerprint, signature)
    return letters
  }

  signUnits(
    codes: Uint16Array,
    start: number,
    end: number,
    row: number,
    fingerprints: Uint8Array,
    signatures: Uint8Array,
  ): number {
    const length = end - start
    if (length > this.#unitsMax) this.#makeRoom(length, 0)
    this.#units.set(codes.subarray(start, end))
    let letters = this.#kernel.sign(length, this.#formBase, this.#formUnitsMax, this.minima, this.ngram)
    if (letters < 0) {
      const bytes = Buffer.from(codes.buffer, codes.byteOffset, codes.byteLength)
      letters = this.#runForm(comparisonForm(bytes.toString('utf16le', 2 * start, 2 * end)), this.minima)
    }
    this.#copyOut(row, fingerprints, signatures)
    return letters
  }

  form(text: string): Uint16Array {
    const letters = this.#run(text, 0)
    return new Uint16Array(this.#kernel.memory.buffer, this.#formBase, letters)
  }

  #run(text: string, minima: number): number {
    if (text.length > this.#unitsMax) this.#makeRoom(text.length, 0)
    this.#bytes.write(text, this.#inputBase, 'utf16le')
    const letters = this.#kernel.sign(text.length, this.#formBase, this.#formUnitsMax, minima, this.ngram)
    return letters >= 0 ? letters : this.#runForm(comparisonForm(text), minima)
  }

  /** The slow way: the form comes from String.normalize. */
  #runForm(form: string, minima: number): number {
    if (form.length > this.#formUnitsMax) this.#makeRoom(0, form.length)
    this.#bytes.write(form, this.#formBase, 'utf16le')
    this.#kernel.signForm(this.#formBase, form.length, minima, this.ngram)
    return form.length
  }

  #copyOut(row: number, fingerprints: Uint8Array, signatures: Uint8Array): void {
    fingerprints.set(this.#fingerprint, row * this.#fingerprint.length)
    if (this.minima > 0) signatures.set(this.#signature, row * this.minima)
  }

  /** Room for a text of `units` and a form of `formUnits`, half as much again; growing moves every view. */
  #makeRoom(units: number, formUnits: number): void {
    const { memory, signatureBase, fingerprintBase } = this.#kernel
    this.#unitsMax = Math.max(this.#unitsMax, Math.ceil(units * 1.5))
    this.#formUnitsMax = Math.max(this.#formUnitsMax, this.#unitsMax + formUnitsSlack, Math.ceil(formUnits * 1.5))
    this.#formBase = this.#inputBase + Math.ceil((this.#unitsMax * 2) / 16) * 16
    const end = this.#formBase + this.#formUnitsMax * 2 + formPaddingBytes
    const missing = Math.ceil((end - memory.buffer.byteLength) / pageBytes)
    if (missing > 0) memory.grow(missing)
    this.#bytes = Buffer.from(memory.buffer)
    this.#units = new Uint16Array(memory.buffer, this.#inputBase, this.#unitsMax)
    this.#signature = new Uint8Array(memory.buffer, signatureBase.value, this.minima)
    this.#fingerprint = new Uint8Array(memory.buffer, fingerprintBase.value, 16)
  }
}
