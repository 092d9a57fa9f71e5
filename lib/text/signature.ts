/**
 * Computes fingerprints and MinHash signatures of texts with the WebAssembly kernel of this thread. Both are defined in
 * kernel/reference-kernel.ts and compared in lib/dedup.
 */
import { readFileSync } from 'node:fs'
import { InvalidOptionError } from '../errors.js'
import { type FoldKernel, makeFoldTables, setFoldTables } from './kernel/fold-tables.js'
import { comparisonForm, sketchKeys } from './kernel/reference-kernel.js'

export { comparisonForm } from './kernel/reference-kernel.js'

/** Options of `createSigner`; all optional. */
interface SignerOptions {
  /** UTF-16 units of the comparison form in a shingle, 1 … 64; 5 by default. */
  readonly ngram?: number
  /** Bytes of a signature, one per bin of the sketch; 0 (fingerprint only) … 512, 128 by default. */
  readonly signatureLength?: number
  /** Unsigned 32 bits; 1 by default. Signatures of different seeds or lengths cannot be compared; fingerprints do not depend on it. */
  readonly seed?: number
}

export interface Signer {
  readonly ngram: number
  readonly signatureLength: number
  readonly seed: number
  /**
   * Writes the 128-bit fingerprint and the signature of the text's comparison form.
   *
   * A form shorter than a shingle has a signature without meaning, in which all bytes are equal.
   * @param fingerprint 16 bytes
   * @param signature `signatureLength` bytes
   * @returns the code units of the comparison form
   */
  sign(text: string, fingerprint: Uint8Array, signature: Uint8Array): number
  /** Signs code units into row `row` of columns of fingerprints and signatures. Returns the code units of the form. */
  signUnits(codes: Uint16Array, row: number, fingerprints: Uint8Array, signatures: Uint8Array): number
  /** Returns the comparison form: a view of the kernel's memory, valid until the next call. */
  form(text: string): Uint16Array
}

interface Kernel extends FoldKernel {
  readonly signatureBase: WebAssembly.Global
  readonly fingerprintBase: WebAssembly.Global
  readonly binsMax: WebAssembly.Global
  sign(units: number, formBase: number, formUnitsMax: number, signatureLength: number, ngram: number): number
  signForm(formBase: number, letters: number, signatureLength: number, ngram: number): void
}

/** Code units by which the kernel may let the form exceed the text; else String.normalize is used. */
const formUnitsSlack = 64
/** Bytes that the kernel accesses after the form: up to three extra shingles, and zero padding of the fingerprint. */
const formPaddingBytes = 256
const pageBytes = 65536

let tables: Uint8Array | undefined
let compiled: WebAssembly.Module | undefined

/** The same as `makeSigner`; rejects where that throws. */
export async function createSigner(options: SignerOptions = {}): Promise<Signer> {
  return makeSigner(options)
}

/**
 * Makes a signer with its own memory. The module is compiled and the fold tables are made once per thread.
 *
 * @throws {InvalidOptionError} ngram, signatureLength or seed out of range
 */
export function makeSigner({ ngram = 5, signatureLength = 128, seed = 1 }: SignerOptions = {}): Signer {
  checkInteger('ngram', ngram, 1, 64)
  checkInteger('signatureLength', signatureLength, 0, 512)
  checkInteger('seed', seed, 0, 0xffffffff)
  compiled ??= new WebAssembly.Module(readFileSync(new URL('./kernel/kernel.wasm', import.meta.url)))
  const { exports } = new WebAssembly.Instance<Kernel>(compiled)
  if (tables === undefined) tables = makeFoldTables(exports)
  else setFoldTables(exports, tables)
  return new KernelSigner(exports, ngram, signatureLength, seed)
}

function checkInteger(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return
  throw new InvalidOptionError(`${name} is ${value}: give an integer from ${min} to ${max}`)
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
    readonly ngram: number,
    readonly signatureLength: number,
    readonly seed: number,
  ) {
    this.#kernel = kernel
    this.#inputBase = kernel.inputBase.value
    const { buffer } = kernel.memory
    const keys = sketchKeys(signatureLength, seed)
    new Uint32Array(buffer, kernel.keyBase.value, keys.length).set(keys)
    this.#bytes = Buffer.from(buffer)
    this.#units = new Uint16Array(0)
    this.#signature = new Uint8Array(0)
    this.#fingerprint = new Uint8Array(0)
    this.#reserve(16384, 0)
  }

  sign(text: string, fingerprint: Uint8Array, signature: Uint8Array): number {
    if (signature.length !== this.signatureLength) {
      throw new InvalidOptionError(`signature has ${signature.length} bytes: give ${this.signatureLength}`)
    }
    const letters = this.#run(text, this.signatureLength)
    this.#copyOut(0, fingerprint, signature)
    return letters
  }

  signUnits(codes: Uint16Array, row: number, fingerprints: Uint8Array, signatures: Uint8Array): number {
    const { length } = codes
    if (length > this.#unitsMax) this.#reserve(length, 0)
    this.#units.set(codes)
    let letters = this.#kernel.sign(length, this.#formBase, this.#formUnitsMax, this.signatureLength, this.ngram)
    if (letters < 0) {
      const bytes = Buffer.from(codes.buffer, codes.byteOffset, codes.byteLength)
      letters = this.#runForm(comparisonForm(bytes.toString('utf16le')), this.signatureLength)
    }
    this.#copyOut(row, fingerprints, signatures)
    return letters
  }

  form(text: string): Uint16Array {
    const letters = this.#run(text, 0)
    return new Uint16Array(this.#kernel.memory.buffer, this.#formBase, letters)
  }

  #run(text: string, signatureLength: number): number {
    if (text.length > this.#unitsMax) this.#reserve(text.length, 0)
    this.#bytes.write(text, this.#inputBase, 'utf16le')
    const letters = this.#kernel.sign(text.length, this.#formBase, this.#formUnitsMax, signatureLength, this.ngram)
    return letters >= 0 ? letters : this.#runForm(comparisonForm(text), signatureLength)
  }

  /** Signs a form that String.normalize made. */
  #runForm(form: string, signatureLength: number): number {
    if (form.length > this.#formUnitsMax) this.#reserve(0, form.length)
    this.#bytes.write(form, this.#formBase, 'utf16le')
    this.#kernel.signForm(this.#formBase, form.length, signatureLength, this.ngram)
    return form.length
  }

  #copyOut(row: number, fingerprints: Uint8Array, signatures: Uint8Array): void {
    fingerprints.set(this.#fingerprint, row * this.#fingerprint.length)
    if (this.signatureLength > 0) signatures.set(this.#signature, row * this.signatureLength)
  }

  /** Reserves memory for a text of `units` and a form of `formUnits`, and half as much again; recreates all views. */
  #reserve(units: number, formUnits: number): void {
    const { memory, signatureBase, fingerprintBase } = this.#kernel
    this.#unitsMax = Math.max(this.#unitsMax, Math.ceil(units * 1.5))
    this.#formUnitsMax = Math.max(this.#formUnitsMax, this.#unitsMax + formUnitsSlack, Math.ceil(formUnits * 1.5))
    this.#formBase = this.#inputBase + Math.ceil((this.#unitsMax * 2) / 16) * 16
    const end = this.#formBase + this.#formUnitsMax * 2 + formPaddingBytes
    const missing = Math.ceil((end - memory.buffer.byteLength) / pageBytes)
    if (missing > 0) memory.grow(missing)
    this.#bytes = Buffer.from(memory.buffer)
    this.#units = new Uint16Array(memory.buffer, this.#inputBase, this.#unitsMax)
    this.#signature = new Uint8Array(memory.buffer, signatureBase.value, this.signatureLength)
    this.#fingerprint = new Uint8Array(memory.buffer, fingerprintBase.value, 16)
  }
}
