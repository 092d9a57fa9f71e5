// Allocator that never frees: tables grow by further pieces, so that nothing large is moved. The host grows the memory before
// it is needed.

/** Pieces are aligned to cache lines. */
export const lineShift: u32 = 6

let free: usize = (__heap_base + 63) & ~63

/** Allocates zeroed memory, which has never been used before. */
export function take(bytes: usize): usize {
  const piece = free
  free += (bytes + 63) & ~63
  return piece
}

export function usedBytes(): u32 {
  return <u32>free
}

/** Pages of 64 KiB in use. */
export function usedPages(): u32 {
  return (<u32>(free - 1) >> 16) + 1
}

/**
 * Doubles a list of addresses (u32 each). The old lists stay allocated; together they are smaller than the last.
 */
export function longer(list: usize, pieces: u32): usize {
  const doubled = take(<usize>pieces << 3)
  memory.copy(doubled, list, <usize>pieces << 2)
  return doubled
}
