// Hashes of the tables: 64 bits of a key, or of a band of a signature.
/** Number of bands. Tables 0 … bands − 1 are of the bands, table `bands` is of the keys. */
export let bands: u32 = 0
let rows: u32 = 0

export function configureHashes(bandCount: u32, rowCount: u32): void {
  bands = bandCount
  rows = rowCount
}

@inline
export function keyHash(key: usize): u64 {
  return mixed(load<u64>(key) ^ (load<u64>(key, 8) * 0xe7037ed1a0b428db))
}

@inline
export function bandHash(signature: usize, band: u32): u64 {
  let at = signature + <usize>(band * rows)
  let rest = rows
  let hash: u64 = 0
  for (; rest > 8; rest -= 8, at += 8) hash = mixed(hash ^ load<u64>(at))
  return mixed(hash ^ lastBytes(at, rest))
}

/** Returns whether two signatures share a band. */
@inline
export function sharesBand(one: usize, other: usize, band: u32): bool {
  let at = <usize>(band * rows)
  let rest = rows
  for (; rest > 8; rest -= 8, at += 8) if (load<u64>(one + at) != load<u64>(other + at)) return false
  return lastBytes(one + at, rest) == lastBytes(other + at, rest)
}

/** 1 to 8 bytes. */
@inline
function lastBytes(at: usize, bytes: u32): u64 {
  return load<u64>(at) << <u64>(64 - bytes * 8)
}

/** Every bit of the input reaches every bit of the output. */
@inline
export function mixed(value: u64): u64 {
  let hash = (value ^ (value >> 32)) * 0x9fb21c651e98df25
  hash = (hash ^ (hash >> 29)) * 0xd6e8feb86659fd93
  return hash ^ (hash >> 32)
}
