/** Typed arrays that grow: buffers of a thread that serve one text after the other. */

export type Column =
  | Int32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>

/** A copy with room for `length` values. */
export function enlarged<Array extends Column>(array: Array, length: number): Array {
  const copy = new (array.constructor as new (length: number) => Array)(length)
  copy.set(array as never)
  return copy
}
