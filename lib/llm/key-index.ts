/**
 * Which reply lies where: 128-bit keys to numbers, in typed arrays, open addressing with linear probing.
 * 24 bytes a place at a load of at most 0.7: 35 to 70 bytes a reply, whatever its text. Keys are hashes already.
 */

const PLACES_MIN = 1024
const LOAD_MAX = 0.7
const WORDS = 4
/** Locations are ≥ 0. */
const EMPTY = -1

/** Keys of 16 bytes to locations, in typed arrays: at most 70 bytes a key, no object each. */
export class KeyIndex {
  #keys: Uint32Array
  #locations: Float64Array
  #size = 0

  constructor(entries = 0) {
    let places = PLACES_MIN
    while (places * LOAD_MAX < entries) places *= 2
    this.#keys = new Uint32Array(places * WORDS)
    this.#locations = new Float64Array(places).fill(EMPTY)
  }

  get size(): number {
    return this.#size
  }

  /** Memory it takes. */
  get bytes(): number {
    return this.#keys.byteLength + this.#locations.byteLength
  }

  /** The location of a key of 16 bytes, or −1. */
  get(key: Uint8Array): number {
    return this.#locations[this.#place(words(key))] as number
  }

  /** Adds a key; false, and no change, when it is there: the first entry of a key wins. */
  add(key: Uint8Array, location: number): boolean {
    const [a, b, c, d] = words(key)
    const place = this.#place([a, b, c, d])
    if (this.#locations[place] !== EMPTY) return false
    this.#keys.set([a, b, c, d], place * WORDS)
    this.#locations[place] = location
    this.#size++
    if (this.#size > this.#locations.length * LOAD_MAX) this.#rebuild(this.#locations.length * 2, () => true)
    return true
  }

  /** Moves a key that is at `from`; one that lies elsewhere stays. */
  move(key: Uint8Array, from: number, to: number): void {
    const place = this.#place(words(key))
    if (this.#locations[place] === from) this.#locations[place] = to
  }

  /** Forgets every key whose location does not pass. */
  retain(keep: (location: number) => boolean): void {
    this.#rebuild(this.#locations.length, keep)
  }

  #place([a, b, c, d]: Words): number {
    const mask = this.#locations.length - 1
    const keys = this.#keys
    let place = a & mask
    while (this.#locations[place] !== EMPTY) {
      const at = place * WORDS
      if (keys[at] === a && keys[at + 1] === b && keys[at + 2] === c && keys[at + 3] === d) break
      place = (place + 1) & mask
    }
    return place
  }

  #rebuild(places: number, keep: (location: number) => boolean): void {
    const keys = this.#keys
    const locations = this.#locations
    this.#keys = new Uint32Array(places * WORDS)
    this.#locations = new Float64Array(places).fill(EMPTY)
    this.#size = 0
    for (const [place, location] of locations.entries()) {
      if (location === EMPTY || !keep(location)) continue
      const key = keys.subarray(place * WORDS, (place + 1) * WORDS)
      const free = this.#place([key[0] as number, key[1] as number, key[2] as number, key[3] as number])
      this.#keys.set(key, free * WORDS)
      this.#locations[free] = location
      this.#size++
    }
  }
}

type Words = readonly [number, number, number, number]

function words(key: Uint8Array): Words {
  const view = new DataView(key.buffer, key.byteOffset, 16)
  return [view.getUint32(0, true), view.getUint32(4, true), view.getUint32(8, true), view.getUint32(12, true)]
}
