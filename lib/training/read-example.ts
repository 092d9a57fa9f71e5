/**
 * Reads an example from a record in one of the forms in which instruction data is published. The form is recognised by
 * the names of the fields. A record that is not exactly one exchange is refused, with a reason.
 */

import { ownValue } from '../core/dictionary.js'
import { isRecord } from '../core/objects.js'
import { quote } from '../core/quote.js'
import type { Example } from './example.js'

/** Why a record is refused: reason → meaning. docs/datasets.md lists them. */
export const refusals = {
  unreadable: 'It cannot be read: not valid JSON or UTF-8, over a limit, or in a damaged part of its file.',
  'not-an-object': 'It is JSON, but not an object.',
  'unknown-form': 'It has none of the fields of a known form.',
  'not-text': 'A field of the form is not text, or a message lacks its role or its text.',
  'unknown-role': 'A message has a role that is not system, user or assistant, or one of their other names.',
  'no-instruction': 'The instruction is missing or blank, or the conversation does not begin with the user.',
  'no-output': 'The output is missing or blank, or the conversation does not end with the assistant.',
  'several-turns': 'It has more than one exchange; --first-turn reads the first one.',
  'system-prompt': 'It has a system prompt, for which the form `completion` has no place.',
} as const

export type Refusal = keyof typeof refusals

/** A record that was refused. */
export interface Refused {
  readonly refusal: Refusal
  /** The value found. */
  readonly detail: string
}

/** Options for `readExample`; all optional. */
interface ReadOptions {
  /** Reads the first exchange of several, instead of refusing the record; false by default. */
  readonly firstTurn?: boolean
}

/**
 * Reads an example. Forms: lists of messages ({role, content} or {from, value}, in `messages`, `conversations` or
 * `conversation`), alpaca (`instruction`, `input`, `output`, `system`, `history`), and pairs of texts under other names
 * (`prompt` and `completion` or `response`, `question` and `answer`, `query` and `response`), or lists of messages under
 * these. Other fields are ignored; texts are not changed.
 */
export function readExample(record: unknown, { firstTurn = false }: ReadOptions = {}): Example | Refused {
  if (!isRecord(record)) return refused('not-an-object', quote(record))
  const fields = record
  for (const name of listNames) {
    const list = ownValue(fields, name)
    if (Array.isArray(list)) return fromMessages(list, fields, name, firstTurn)
  }
  for (const [instruction, outputs] of pairNames) {
    const output = outputs.find((name) => has(fields, name))
    if (!has(fields, instruction) || output === undefined) continue
    const [asked, replied] = [fields[instruction], fields[output]]
    if (!Array.isArray(asked) || !Array.isArray(replied)) return fromPair(fields, instruction, output, firstTurn)
    return fromMessages([...asked, ...replied], fields, instruction, firstTurn)
  }
  return refused('unknown-form', `fields: ${Object.keys(fields).slice(0, fieldsShownMax).join(', ') || 'none'}`)
}

/** Whether a result is a refusal. */
export function isRefused(result: Example | Refused): result is Refused {
  return 'refusal' in result
}

type Fields = Readonly<Record<string, unknown>>

/** Fields that hold a list of messages. */
const listNames = ['messages', 'conversations', 'conversation'] as const
/** Fields that hold an instruction, each with the fields that may hold its output. */
const pairNames: readonly (readonly [string, readonly string[]])[] = [
  ['instruction', ['output', 'response', 'completion', 'answer']],
  ['prompt', ['completion', 'response', 'output', 'answer']],
  ['question', ['answer', 'response', 'output']],
  ['query', ['response', 'answer', 'output']],
]
const fieldsShownMax = 12

type Speaker = 'system' | 'user' | 'assistant'

/** Names of roles, in the forms of OpenAI, ShareGPT, and datasets made from them. */
const speakers: Readonly<Record<string, Speaker>> = {
  system: 'system',
  user: 'user',
  human: 'user',
  prompter: 'user',
  assistant: 'assistant',
  gpt: 'assistant',
  chatgpt: 'assistant',
  bing: 'assistant',
  bard: 'assistant',
  model: 'assistant',
  bot: 'assistant',
}

interface Message {
  readonly speaker: Speaker
  readonly text: string
}

function fromMessages(list: readonly unknown[], fields: Fields, name: string, firstTurn: boolean): Example | Refused {
  const messages: Message[] = []
  for (const [index, value] of list.entries()) {
    const message = readMessage(value, `${name}[${index}]`)
    if ('refusal' in message) return message
    messages.push(message)
  }
  const separate = textIn(fields, 'system')
  if (typeof separate !== 'string') return separate
  const own = messages[0]?.speaker === 'system' ? (messages.shift() as Message).text : ''
  const [first, second] = messages
  if (first?.speaker !== 'user' || isBlank(first.text)) {
    return refused(
      'no-instruction',
      first === undefined ? 'no message of a user' : `the first message is of ${first.speaker}`,
    )
  }
  if (second?.speaker !== 'assistant' || isBlank(second.text)) {
    return refused('no-output', second === undefined ? 'no reply' : `the second message is of ${second.speaker}`)
  }
  if (messages.length > 2 && !firstTurn) return refused('several-turns', `${messages.length} messages`)
  return example(first.text, second.text, own || separate)
}

function readMessage(value: unknown, place: string): Message | Refused {
  const fields = isRecord(value) ? value : {}
  const role = ownValue(fields, 'role') ?? ownValue(fields, 'from')
  const text = ownValue(fields, 'content') ?? ownValue(fields, 'value')
  if (typeof role !== 'string' || typeof text !== 'string') return refused('not-text', `${place} is ${quote(value)}`)
  const speaker = ownValue(speakers, role.trim().toLowerCase())
  return speaker === undefined ? refused('unknown-role', `${place} is of ${quote(role)}`) : { speaker, text }
}

function fromPair(fields: Fields, instructionName: string, outputName: string, firstTurn: boolean): Example | Refused {
  const texts: string[] = []
  for (const name of [instructionName, 'input', outputName, 'system']) {
    const text = textIn(fields, name)
    if (typeof text !== 'string') return text
    texts.push(text)
  }
  const [instruction, input, output, system] = texts as [string, string, string, string]
  const history = ownValue(fields, 'history')
  if (Array.isArray(history) && history.length > 0) {
    return firstTurn ? fromHistory(history[0], system) : refused('several-turns', `history of ${history.length}`)
  }
  // The order in which LLaMA-Factory joins them; its README, "Alpaca Format".
  const asked = [instruction, input].filter((text) => !isBlank(text)).join('\n')
  if (asked === '') return refused('no-instruction', `${instructionName} is blank`)
  if (isBlank(output)) return refused('no-output', `${outputName} is blank`)
  return example(asked, output, system)
}

/** Reads the first exchange of an alpaca record with a history. */
function fromHistory(exchange: unknown, system: string): Example | Refused {
  const [asked, replied] = Array.isArray(exchange) ? exchange : []
  if (typeof asked !== 'string' || typeof replied !== 'string')
    return refused('not-text', `history[0] is ${quote(exchange)}`)
  if (isBlank(asked)) return refused('no-instruction', 'history[0] is blank')
  return isBlank(replied) ? refused('no-output', 'history[0] has no reply') : example(asked, replied, system)
}

/** Returns the text of a field; '' if it is missing or null. */
function textIn(fields: Fields, name: string): string | Refused {
  const value = ownValue(fields, name) ?? ''
  return typeof value === 'string' ? value : refused('not-text', `${name} is ${quote(value)}`)
}

function has(fields: Fields, name: string): boolean {
  return Object.hasOwn(fields, name)
}

function example(instruction: string, output: string, system: string): Example {
  return { instruction, output, system: isBlank(system) ? '' : system }
}

function isBlank(text: string): boolean {
  return text.trim() === ''
}

function refused(refusal: Refusal, detail: string): Refused {
  return { refusal, detail }
}
