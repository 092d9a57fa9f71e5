/**
 * Removes thoughts, end tokens, role names and code fences around the text of a reply.
 */
import { readThoughts } from '../../llm/protocol/thoughts.js'
import { withoutFence } from './wrapping.js'

/**
 * Returns the text of a reply. Linear in its length.
 *
 * Returns '' if thoughts never end or cannot be separated from the answer.
 * Example: '<think>…</think>\n\nassistant: ```\n水是…\n```<|im_end|>' → '水是…'
 */
export function replyText(reply: string): string {
  return withoutFence(withoutRole(trimmed(withoutEndTokens(readThoughts(reply).text)))).trim()
}

/** Zero-width characters and byte order marks at the ends are not damage: nothing is lost between words. */
function trimmed(text: string): string {
  let end = text.length
  while (end > 0 && /[\s\u200b\u200e\u200f\u2060\ufeff]/u.test(text.charAt(end - 1))) end--
  let start = 0
  while (start < end && /[\s\u200b\u200e\u200f\u2060\ufeff]/u.test(text.charAt(start))) start++
  return text.slice(start, end)
}

function withoutEndTokens(text: string): string {
  let end = text.length
  for (const token of endTokens) {
    const at = text.indexOf(token)
    if (at >= 0 && at < end) end = at
  }
  const turn = text.search(/(?<=\S[\s\S])<[|｜]assistant[|｜]>/u)
  if (turn > 0 && turn < end) end = turn
  return text.slice(0, end).replace(/(?:<(?:unk|pad|eos|bos)>|\[(?:UNK|PAD|EOS)\]){1,40}\s{0,8}$/iu, '')
}

const endTokens = [
  '<|im_end|>',
  '<|endoftext|>',
  '<|end_of_text|>',
  '<|eot_id|>',
  '<|eom_id|>',
  '<|end|>',
  '<|return|>',
  '<|user|>',
  '<|END_OF_TURN_TOKEN|>',
  '<｜end▁of▁sentence｜>',
  '<end_of_turn>',
  '</s>',
]

function withoutRole(text: string): string {
  const role =
    /^(?:<\|im_start\|>)?(?:assistant|助手|AI助手)\s{0,4}[：:\n]\s*|^<[|｜]assistant[|｜]>\s*|^<\|start_header_id\|>\s{0,4}assistant\s{0,4}<\|end_header_id\|>\s*|^(?:<s>\s{0,4})?\[\/?INST\]\s*|^(?:<(?:s|bos)>|\[BOS\])\s*/i.exec(
      text,
    )
  return role === null ? text : text.slice(role[0].length)
}
