/** Growth of typed arrays that a thread reuses as buffers. */
type GrowableArray = Int32Array | Float64Array | Uint8Array | Uint16Array | Uint32Array

/** Returns a copy with capacity for `length` values. */
export function growArray<Array extends GrowableArray>(array: Array, length: number): Array {
  const copy = new (array.constructor as new (length: number) => Array)(length)
  copy.set(array)
  return copy
}
