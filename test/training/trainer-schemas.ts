/**
 * What trainers document about the records that they read, as schemas. Facts from, as of November 2026:
 * - TRL, docs/source/dataset_formats.md: types language modeling, prompt-completion and preference, each as 'standard'
 *   (texts) or 'conversational' (lists of {role, content}), with an explicit prompt.
 * - LLaMA-Factory, data/README.md: dataset_info.json; alpaca and sharegpt formatting, `ranking`, columns, tags. User and
 *   assistant alternate, and a preference has an odd number of messages before its two replies, which are one message each.
 * - Axolotl, docs/dataset-formats/conversation.qmd (chat_template), inst_tune.qmd (alpaca), docs/rlhf.qmd
 *   (chat_template.default, chatml.prompt_pairs).
 */
import { z } from 'zod'

const text = z.string().min(1)
const says = <Role extends string>(role: Role) => z.strictObject({ role: z.literal(role), content: text })
const speaks = (speaker: string) => z.strictObject({ from: z.literal(speaker), value: text })

/** An optional system message, then one exchange. */
const conversation = z.union([
  z.tuple([says('user'), says('assistant')]),
  z.tuple([says('system'), says('user'), says('assistant')]),
])
const turns = z.union([
  z.tuple([speaks('human'), speaks('gpt')]),
  z.tuple([speaks('system'), speaks('human'), speaks('gpt')]),
])

export const trl = {
  conversationalLanguageModeling: z.strictObject({ messages: conversation }),
  standardPromptCompletion: z.strictObject({ prompt: text, completion: text }),
  conversationalPreference: z.strictObject({
    prompt: z.tuple([says('user')]),
    chosen: z.tuple([says('assistant')]),
    rejected: z.tuple([says('assistant')]),
  }),
  standardPreference: z.strictObject({ prompt: text, chosen: text, rejected: text }),
}

export const axolotl = {
  chatTemplate: z.strictObject({ messages: conversation }),
  alpaca: z.object({ instruction: text, input: z.string(), output: text }),
  /** With `field_messages: conversations` and `message_property_mappings: { role: from, content: value }`. */
  sharegpt: z.strictObject({ conversations: turns }),
  dpoChatTemplate: z.strictObject({
    messages: z.tuple([says('user')]),
    chosen: says('assistant'),
    rejected: says('assistant'),
  }),
  dpoPromptPairs: z.strictObject({ prompt: text, chosen: text, rejected: text }),
}

const columnName = z.string().min(1)
/** An entry of dataset_info.json for a local file. */
const entry = z.strictObject({
  file_name: z.string().regex(/\.(?:json|jsonl|csv|parquet|arrow)$/),
  formatting: z.enum(['alpaca', 'sharegpt']).default('alpaca'),
  ranking: z.boolean().default(false),
  columns: z
    .strictObject({
      prompt: columnName.optional(),
      query: columnName.optional(),
      response: columnName.optional(),
      history: columnName.optional(),
      messages: columnName.optional(),
      system: columnName.optional(),
      tools: columnName.optional(),
      chosen: columnName.optional(),
      rejected: columnName.optional(),
    })
    .optional(),
  tags: z
    .strictObject({
      role_tag: z.string().default('from'),
      content_tag: z.string().default('value'),
      user_tag: z.string().default('human'),
      assistant_tag: z.string().default('gpt'),
      system_tag: z.string().default('system'),
    })
    .prefault({}),
})
export const datasetInfo = z.record(z.string(), entry)

/** What LLaMA-Factory makes of a record. */
interface Aligned {
  readonly system: string
  readonly prompt: readonly { readonly role: string; readonly content: string }[]
  /** One reply, or with `ranking` the better and the worse one. */
  readonly replies: readonly string[]
}

/**
 * Reads a record as LLaMA-Factory's README says that an entry describes it. Throws if the record does not fit the entry:
 * a column that the entry names is missing, roles do not alternate, or a reply is not of the form that is required.
 */
export function alignedBy(entryValue: unknown, record: Readonly<Record<string, unknown>>): Aligned {
  const { formatting, ranking, tags, columns } = entry.parse(entryValue)
  // Columns that an entry with `columns` does not name do not exist for it.
  const names = columns ?? { prompt: 'instruction', query: 'input', response: 'output', messages: 'conversations' }
  const textOf = (name: string | undefined): string => (name === undefined ? '' : z.string().parse(record[name]))
  if (formatting === 'alpaca') {
    const asked = [names.prompt, names.query].map(textOf).filter((part) => part !== '')
    const replies = ranking ? [names.chosen, names.rejected] : [names.response]
    return {
      system: textOf(names.system),
      prompt: [{ role: 'user', content: asked.join('\n') }],
      replies: replies.map((name) => text.parse(textOf(name))),
    }
  }
  const messageOf = (value: unknown) => {
    const fields = z.record(z.string(), z.string()).parse(value)
    return { role: z.string().parse(fields[tags.role_tag]), content: text.parse(fields[tags.content_tag]) }
  }
  const messages = z
    .array(z.unknown())
    .parse(record[names.messages ?? 'conversations'])
    .map(messageOf)
  const system = messages[0]?.role === tags.system_tag ? (messages.shift()?.content ?? '') : textOf(names.system)
  const expected = messages.map((_, index) => (index % 2 === 0 ? tags.user_tag : tags.assistant_tag))
  z.literal(JSON.stringify(expected)).parse(JSON.stringify(messages.map(({ role }) => role)))
  z.literal(ranking ? 1 : 0).parse(messages.length % 2)
  const prompt = (ranking ? messages : messages.slice(0, -1)).map(({ content }) => ({ role: 'user', content }))
  if (!ranking) return { system, prompt, replies: [messages.at(-1)?.content ?? ''] }
  const replies = [names.chosen, names.rejected].map((name) => messageOf(record[name ?? '']))
  for (const { role } of replies) z.literal(tags.assistant_tag).parse(role)
  return { system, prompt, replies: replies.map(({ content }) => content) }
}
