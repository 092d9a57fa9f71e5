/**
 * Puts the published prompts together from a clone of COIG-Kun, as its scripts do: the role lines of the Yi templates in
 * evaluation/conversation.py, and the messages in evaluation/common.py. The words belong to its authors.
 */
import type { PromptFileContent } from '../prompt-file.js'
import { type PythonString, pythonStrings, type StringPart } from './python-strings.js'

/** Sources of the two files. */
interface CloneSources {
  readonly conversation: string
  readonly common: string
}

interface ClonePrompts {
  readonly prompts: Readonly<Partial<Record<'label' | 'score' | 'answer', PromptFileContent>>>
  /** What was not found, and where it was looked for. */
  readonly missing: readonly string[]
}

export function clonePrompts({ conversation, common }: CloneSources): ClonePrompts {
  const missing: string[] = []
  const templates = { source: conversation, strings: pythonStrings(conversation) }
  const messages = pythonStrings(common)
  const score = messageOf(messages, (fields) => fields.length === 1 && /\binstruction\b/.test(fields[0] ?? ''))
  const answer = messageOf(
    messages,
    ([text, instruction, more]) =>
      /\boutput\b/.test(text ?? '') && /instruction/.test(instruction ?? '') && more === undefined,
  )
  if (score === null) missing.push('evaluation/common.py: an f-string with the instruction alone (the score message)')
  if (answer === null)
    missing.push('evaluation/common.py: an f-string with output and instruction (the answer message)')
  const prompt = (stage: string, template: string, message: string | null) => {
    const roles = rolesOf(templates, template)
    if (roles === null) missing.push(`evaluation/conversation.py: roles and sep of the template ${template}`)
    if (roles === null || message === null) return {}
    const { user, assistant, sep } = roles
    const text = `${user}\n${message}${sep}\n${assistant}\n`
    return { [stage]: { name: `coig-kun-${stage}`, kind: 'completion' as const, text } }
  }
  const prompts = {
    ...prompt('label', 'Yi-label', '{text}'),
    ...prompt('score', 'Yi-point', score),
    ...prompt('answer', 'Yi-answer', answer),
  }
  return { prompts, missing }
}

/** Returns the first message whose fields match, with the placeholders of a template; null if there is none. */
function messageOf(strings: readonly PythonString[], matches: (fields: readonly string[]) => boolean): string | null {
  const isMessage = ({ parts }: PythonString) =>
    parts.some((part) => typeof part === 'string' && /\p{Script=Han}/u.test(part)) && matches(fieldsOf(parts))
  const parts = strings.find(isMessage)?.parts
  if (parts === undefined) return null
  return parts
    .map((part) => {
      if (typeof part === 'string') return part
      return /instruction/.test(part.field) ? '{instruction}' : '{text}'
    })
    .join('')
}

function fieldsOf(parts: readonly StringPart[]): string[] {
  return parts.flatMap((part) => (typeof part === 'string' ? [] : [part.field]))
}

interface Source {
  readonly source: string
  readonly strings: readonly PythonString[]
}

function rolesOf(from: Source, template: string): { user: string; assistant: string; sep: string } | null {
  const named = from.strings.findIndex(
    (string) => plain(string) === template && follows(from, string, /\bname\s*=\s*$/),
  )
  if (named < 0) return null
  const next = from.strings.findIndex((string, index) => index > named && follows(from, string, /\bname\s*=\s*$/))
  const own = from.strings.slice(named + 1, next < 0 ? undefined : next)
  const first = own.findIndex((string) => follows(from, string, /\broles\s*=\s*\(\s*$/))
  const [user, assistant] = first < 0 ? [] : own.slice(first, first + 2)
  const sep = own.find((string) => follows(from, string, /\bsep\s*=\s*$/))
  if (user === undefined || assistant === undefined || sep === undefined) return null
  const values = [user, assistant, sep].map((string) => textOf(from, string))
  const [userText, assistantText, sepText] = values
  if (userText == null || assistantText == null || sepText == null) return null
  return { user: userText, assistant: assistantText, sep: sepText }
}

/** Characters before a literal that say what it is. */
const contextChars = 40

function follows({ source }: Source, { start }: PythonString, pattern: RegExp): boolean {
  return pattern.test(source.slice(Math.max(0, start - contextChars), start))
}

function plain({ parts }: PythonString): string | null {
  return parts.every((part) => typeof part === 'string') ? parts.join('') : null
}

/** Returns the text of a literal, with the constants of the file that it names; null if one is not there. */
function textOf(from: Source, { parts }: PythonString): string | null {
  const values = parts.map((part) => (typeof part === 'string' ? part : constantOf(from, part.field)))
  return values.includes(null) ? null : values.join('')
}

function constantOf(from: Source, name: string): string | null {
  if (!/^\w+$/.test(name)) return null
  const pattern = new RegExp(`(?:^|\\n)${name}\\s*=\\s*\\(?\\s*$`)
  const found = from.strings.find((string) => follows(from, string, pattern))
  return found === undefined ? null : plain(found)
}
