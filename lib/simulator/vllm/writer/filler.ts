/**
 * Filler text with a given number of tokens: for benches where only lengths matter, and for `ignore_eos`.
 */
import { encode, tokenText } from '../tokens.js'

const sentences = [
  '城市的早晨从街角的面包店开始，热气慢慢升起来。',
  '河水绕过村庄流向平原，两岸种着成片的稻田。',
  '工程师把仪器搬进山洞，记录温度和湿度的变化。',
  '学生们在操场上练习传球，教练站在一旁仔细观察。',
  '老人坐在院子里修理竹椅，讲起年轻时走过的路。',
  '秋天的果园里挂满果实，工人们忙着采摘和分拣。',
  '图书馆的灯一直亮到深夜，读者翻动书页的声音很轻。',
] as const

const ids = encode(sentences.join(''))
const offsets = [0]
for (const id of ids) offsets.push((offsets.at(-1) as number) + tokenText(id).length)
const once = sentences.join('')

/** Returns exactly `count` tokens, beginning with a sentence selected by the hash. */
export function filler(count: number, hash: number): { text: string; ids: number[] } {
  const start = hash % ids.length
  const out: number[] = new Array(count)
  for (let index = 0; index < count; index++) out[index] = ids[(start + index) % ids.length] as number
  const from = offsets[start] as number
  const rounds = Math.floor((start + count) / ids.length)
  const to = offsets[(start + count) % ids.length] as number
  return { text: (once.repeat(rounds) + once.slice(0, to)).slice(from), ids: out }
}
