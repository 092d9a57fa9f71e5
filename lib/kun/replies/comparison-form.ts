/** Returns the form in which variants are compared: without differences of width, case, blanks and punctuation. */
export function comparisonForm(instruction: string): string {
  return instruction
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '')
}
