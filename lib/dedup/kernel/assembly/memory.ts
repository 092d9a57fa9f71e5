// Memory handed out piece by piece and never taken back: what outgrows its place goes on in a further piece, so nothing
// large is ever moved. The host sees to it that there is enough.

/** Pieces begin at a line of the processor's cache. */
export const lineShift: u32 = 6

let free: usize = (__heap_base + 63) & ~63

/** Zeros, for what is handed out has never been used. */
export function take(bytes: usize): usize {
  const piece = free
  free += (bytes + 63) & ~63
  return piece
}

export function usedBytes(): u32 {
  return <u32>free
}

/** The memory is measured in pages of 64 KiB. */
export function usedPages(): u32 {
  return (<u32>(free - 1) >> 16) + 1
}

/**
 * A list of pieces that a number is looked up in: u32 a piece. It doubles, and leaves its old place behind: all of them
 * together come to less than the last.
 */
export function longer(list: usize, pieces: u32): usize {
  const doubled = take(<usize>pieces << 3)
  memory.copy(doubled, list, <usize>pieces << 2)
  return doubled
}
