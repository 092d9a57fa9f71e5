/** Returns the bytes as an `ArrayBuffer` of exactly their length; copies them if they are part of a larger or a shared buffer. */
export function ownBuffer(bytes: Uint8Array): ArrayBuffer {
  const { buffer } = bytes
  if (buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength) return buffer
  return new Uint8Array(bytes).buffer
}
