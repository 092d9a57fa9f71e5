/** Texts for the benches: letters drawn with the skew of Chinese prose, punctuated; planted copies; all from a seed. */

export function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

export function chineseText(random: (below: number) => number, letters: number): string {
  let text = ''
  for (let i = 0; i < letters; i++) {
    // Squaring makes the first few hundred of 4,000 characters frequent, as in prose.
    const share = random(4000) / 4000
    text += String.fromCharCode(0x4e00 + Math.floor(share * share * 4000))
    if (random(12) === 0) text += '，。、：'.charAt(random(4))
  }
  return text
}

export function chineseTexts(count: number, letters: number, seed: number): string[] {
  const random = randomFrom(seed)
  return Array.from({ length: count }, () => chineseText(random, letters))
}
