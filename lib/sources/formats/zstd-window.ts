/**
 * Grows the window of fzstd's stream decoder with the output, so that a frame with a window of gigabytes needs only as much
 * memory as its content. fzstd moves the whole window after every block.
 */
import type { Decompress } from 'fzstd'

/** Initial window size: a power of two that a header can express. */
const windowBytesMin = 1024 * 1024
/** Window_Descriptor of that size (RFC 8878, section 3.1.1.1.2). */
const descriptorOfMin = 0x50

const descriptorAt = 4
const windowAt = 5
const singleSegmentBit = 0x20

/** State that fzstd keeps of a frame: the window, the last bytes at its end, and its size. */
interface FrameState {
  w: Uint8Array
  e: number
}

interface GrowingWindow {
  /** Replaces the window size in the frame header; pass every slice through it. */
  header(slice: Uint8Array): Uint8Array
  /** Call before the decoder adds `bytes` to the window. */
  grow(bytes: number): void
}

export function growingWindow(decoder: Decompress): GrowingWindow {
  let at = 0
  let produced = 0
  let descriptor = singleSegmentBit
  let windowBytesMax = 0

  function header(slice: Uint8Array): Uint8Array {
    for (let index = 0; at <= windowAt && index < slice.byteLength; index++, at++) {
      if (at === descriptorAt) descriptor = slice[index] as number
      if (at !== windowAt || (descriptor & singleSegmentBit) !== 0) continue
      const declared = slice[index] as number
      windowBytesMax = windowBytes(declared)
      if (windowBytesMax > windowBytesMin) slice[index] = descriptorOfMin
    }
    return slice
  }

  function grow(bytes: number): void {
    produced += bytes
    if (windowBytesMax <= windowBytesMin) return
    const state = (decoder as unknown as { s: FrameState | number }).s
    if (typeof state === 'number' || state.e >= windowBytesMax || produced <= state.e) return
    const grown = new Uint8Array(Math.min(windowBytesMax, Math.max(state.e * 2, produced)))
    grown.set(state.w, grown.byteLength - state.w.byteLength)
    state.w = grown
    state.e = grown.byteLength
  }

  return { header, grow }
}

function windowBytes(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3))
  return base + (base / 8) * (descriptor & 7)
}
