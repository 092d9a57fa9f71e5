/** Marks of the prompts and tokens of chat formats that a reply repeats. */

/** Returns a mark or token of a prompt that a reply repeats, or null. */
export function leftoverMark(text: string): string | null {
  return leftover.exec(text)?.[0] ?? null
}

const leftover =
  /【\/?(?:文本|指令|好|差)】|<\|[\w.:/▁-]{1,40}\|>|<｜[\w.:/-]{0,20}▁[\w.:/▁-]{0,20}｜>|<\/?think>|<unused\d{1,4}>|<(?:start|end)_of_turn>/i

/** Returns a mark of the record's text in a reply before its repair: what is between such marks is the text. */
export function textMark(reply: string): string | null {
  return /【\/?文本】/u.exec(reply)?.[0] ?? null
}
