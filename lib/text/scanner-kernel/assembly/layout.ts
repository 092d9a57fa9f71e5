// Where the tables and results of the scan are in the memory. Other memory than this belongs to the host.

/**
 * Two tables of 65,536 entries: a character class each, with bit 5 set for marks that continue a sentence, and bit 7 for code
 * units that are only counted. The second one has no class of characters that may compose.
 */
export const classesBase: usize = 1024
export const settledClassesBase: usize = classesBase + 65536
/** Hundredths of a token that a code unit of each entry costs beyond a Han character, 0 for those that are visited: i32[256]. */
export const extrasBase: usize = settledClassesBase + 65536
/** Code units of each class: i32[32], then the sums of these hundredths and of saved bytes of what is only counted. */
export const countsBase: usize = extrasBase + 1024
export const totalsAt: usize = 128
/** What the last scan found: i32[6], in the order of `scan`. */
export const resultsBase: usize = countsBase + totalsAt + 8
/** Hundredths of a token that a code unit that is visited costs beyond a Han character, by class: i32[32]. */
export const visitedExtrasBase: usize = countsBase + 256
/** Abbreviations (lib/text/abbreviations.ts): u32[256], a hash table of keys. */
export const abbreviationsBase: usize = visitedExtrasBase + 128
/** Replacements of code units: u16[65536]. */
export const replacementsBase: usize = abbreviationsBase + 1024
/** The order in which the bytes of four code units are taken, four bytes each, by which of them are ASCII: u8[16][16]. */
export const ordersBase: usize = replacementsBase + 131072
/** Numbers of the bits that are set in a byte: u8[256][8]. */
export const setBitsBase: usize = ordersBase + 256
/** Factors of grams.ts: i32[4]. */
export const gramFactorsBase: usize = setBitsBase + 2048
export const hostBase: usize = gramFactorsBase + 16
