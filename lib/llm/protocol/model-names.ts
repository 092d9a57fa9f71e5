/** Names of models as servers and recipes write them. Pure. */

/**
 * Whether two names mean the same model: written with or without an organisation or folder, with a tag (`:latest`), a
 * date (`-2024-08-06`, `-0613`), a file's ending and quantisation, in other case.
 *
 * Example: `gpt-4o` and `gpt-4o-2024-08-06`; `Qwen/Qwen3-8B` and `/models/Qwen3-8B-Q4_K_M.gguf`; not `a/x` and `b/x`.
 */
export function isSameModel(one: string, other: string): boolean {
  if (one === other) return true
  const [a, b] = [plainName(one), plainName(other)]
  if (a === b) return true
  const isPart = isPath(one) || isPath(other) || a.includes('/') !== b.includes('/')
  return isPart && lastPart(a) === lastPart(b)
}

function plainName(name: string): string {
  const undated = /[-_@:](?:20\d\d-?[01]\d(?:-?[0-3]\d)?|[01]\d[0-3]\d)$/
  return name
    .trim()
    .toLowerCase()
    .replaceAll('\\', '/')
    .replace(/\/+$/, '')
    .replace(/:latest$/, '')
    .replace(/(?:[-_.](?:i?q\d\w*|f16|bf16|f32))?\.gguf$/, '')
    .replace(undated, '')
}

function isPath(name: string): boolean {
  return /^(?:[./~]|[a-z]:)/i.test(name.trim())
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1)
}
