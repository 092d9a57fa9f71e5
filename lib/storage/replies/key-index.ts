/**
 * Which reply lies where: 128-bit keys to numbers, in typed arrays, open addressing with linear probing.
 * 24 bytes a place at a load of at most 0.7: 35 to 70 bytes a reply, whatever its text. Keys are hashes already.
 */

const placesMin = 1024
const loadMax = 0.7
const wordsPerKey = 4
/** Locations are ≥ 0. */
const emptyLocation = -1

/** Keys of 16 bytes to locations, in typed arrays: at most 70 bytes a key, no object each. */
export class KeyIndex {
  #keys = new Uint32Array(placesMin * wordsPerKey)
  #locations = new Float64Array(placesMin).fill(emptyLocation)
  #size = 0

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
    const four = words(key)
    const place = this.#place(four)
    if (this.#locations[place] !== emptyLocation) return false
    this.#put(four, 0, place, location)
    this.#size++
    if (this.#size > this.#locations.length * loadMax) this.#grow()
    return true
  }

  /** Moves a key that is at `from`; one that lies elsewhere stays. */
  move(key: Uint8Array, from: number, to: number): void {
    const place = this.#place(words(key))
    if (this.#locations[place] === from) this.#locations[place] = to
  }

  /** Deletes a key if it is at `location`. */
  delete(key: Uint8Array, location: number): void {
    const place = this.#place(words(key))
    if (this.#locations[place] === location) this.#remove(place)
  }

  /** Forgets every key whose location does not pass. */
  retain(keep: (location: number) => boolean): void {
    const places = this.#locations.length
    // From an empty place on, so that no row of keys is entered in its middle.
    const first = this.#locations.indexOf(emptyLocation)
    for (let step = 1; step < places; step++) {
      const place = (first + step) & (places - 1)
      for (;;) {
        const location = this.#locations[place] as number
        if (location === emptyLocation || keep(location)) break
        this.#remove(place)
      }
    }
  }

  /** Where the key is whose words are of[from … from + 4), or the empty place where it would be put. */
  #place(of: Uint32Array, from = 0): number {
    const [a, b, c, d] = [of[from] as number, of[from + 1], of[from + 2], of[from + 3]]
    const mask = this.#locations.length - 1
    const keys = this.#keys
    let place = a & mask
    while (this.#locations[place] !== emptyLocation) {
      const at = place * wordsPerKey
      if (keys[at] === a && keys[at + 1] === b && keys[at + 2] === c && keys[at + 3] === d) break
      place = (place + 1) & mask
    }
    return place
  }

  #put(of: Uint32Array, from: number, place: number, location: number): void {
    for (let word = 0; word < wordsPerKey; word++) this.#keys[place * wordsPerKey + word] = of[from + word] as number
    this.#locations[place] = location
  }

  /** Keys further on in the row move up to where they are looked for first, as far as they may: no gap is left. */
  #remove(place: number): void {
    const mask = this.#locations.length - 1
    let gap = place
    for (let next = (gap + 1) & mask; this.#locations[next] !== emptyLocation; next = (next + 1) & mask) {
      const home = (this.#keys[next * wordsPerKey] as number) & mask
      if (((next - home) & mask) < ((next - gap) & mask)) continue
      this.#put(this.#keys, next * wordsPerKey, gap, this.#locations[next] as number)
      gap = next
    }
    this.#locations[gap] = emptyLocation
    this.#size--
  }

  #grow(): void {
    const [keys, locations] = [this.#keys, this.#locations]
    this.#keys = new Uint32Array(2 * keys.length)
    this.#locations = new Float64Array(2 * locations.length).fill(emptyLocation)
    for (let place = 0; place < locations.length; place++) {
      const location = locations[place] as number
      const from = place * wordsPerKey
      if (location !== emptyLocation) this.#put(keys, from, this.#place(keys, from), location)
    }
  }
}

function words(key: Uint8Array): Uint32Array {
  const view = new DataView(key.buffer, key.byteOffset, 16)
  return Uint32Array.of(
    view.getUint32(0, true),
    view.getUint32(4, true),
    view.getUint32(8, true),
    view.getUint32(12, true),
  )
}
