/**
 * Hash table from the keys of replies to their locations: 128-bit keys to numbers, in typed arrays, open addressing
 * with linear probing. 24 bytes per slot at a load of at most 0.7: 35 to 70 bytes per reply. Keys are hashes already.
 */

const placesMin = 1024
const loadMax = 0.7
const wordsPerKey = 4
/** Locations are ≥ 0. */
const emptyLocation = -1

/** Map from keys of 16 bytes to locations. */
export class KeyIndex {
  #keys = new Uint32Array(placesMin * wordsPerKey)
  #locations = new Float64Array(placesMin).fill(emptyLocation)
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Memory use in bytes. */
  get bytes(): number {
    return this.#keys.byteLength + this.#locations.byteLength
  }

  /** Returns the location of a key, or −1. */
  get(key: Uint8Array): number {
    return this.#locations[this.#place(words(key))] as number
  }

  /** Adds a key; returns false without a change if it exists: the first entry of a key wins. */
  add(key: Uint8Array, location: number): boolean {
    const four = words(key)
    const place = this.#place(four)
    if (this.#locations[place] !== emptyLocation) return false
    this.#put(four, 0, place, location)
    this.#size++
    if (this.#size > this.#locations.length * loadMax) this.#grow()
    return true
  }

  /** Changes the location of a key if it is `from`. */
  move(key: Uint8Array, from: number, to: number): void {
    const place = this.#place(words(key))
    if (this.#locations[place] === from) this.#locations[place] = to
  }

  /** Deletes a key if its location is `location`. */
  delete(key: Uint8Array, location: number): void {
    const place = this.#place(words(key))
    if (this.#locations[place] === location) this.#remove(place)
  }

  /** Deletes every key whose location does not match. */
  retain(keep: (location: number) => boolean): void {
    const places = this.#locations.length
    // Start at an empty slot, so that no probe sequence is entered in the middle.
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

  /** Returns the slot of the key whose words are of[from … from + 4), or the empty slot where it belongs. */
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

  /** Deletes a slot by backward shift: later keys of the probe sequence move into the gap. */
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
