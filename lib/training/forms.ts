/**
 * Forms of training data: the columns of each, and an example as a row. docs/datasets.md lists which trainer reads which
 * form; the tests check every form against the schemas that TRL, LLaMA-Factory and Axolotl document.
 */
import type { Column, Row } from '../parquet/columns.js'
import type { Example, Preference } from './example.js'

/** Forms of examples for supervised fine-tuning, in the order of the help. */
export const exampleForms = ['messages', 'alpaca', 'sharegpt', 'completion'] as const
/** Forms of preferences, for DPO and its relatives. */
export const preferenceForms = ['dpo', 'dpo-text', 'dpo-messages'] as const

export type ExampleForm = (typeof exampleForms)[number]
export type PreferenceForm = (typeof preferenceForms)[number]

/** How records of a type become rows. */
export interface Form<T> {
  readonly name: ExampleForm | PreferenceForm
  readonly columns: readonly Column[]
  readonly rowOf: (record: T) => Row
}

/** Options for `exampleForm`. */
interface FormOptions {
  /** Whether examples may have system prompts: the form `alpaca` then has a column for them. False by default. */
  readonly systems?: boolean
}

/** Whether the form has a place for a system prompt. */
export function holdsSystem(form: ExampleForm): boolean {
  return form !== 'completion'
}

/** Returns a form of examples. */
export function exampleForm(name: ExampleForm, { systems = false }: FormOptions = {}): Form<Example> {
  switch (name) {
    case 'messages':
      return {
        name,
        columns: [{ name: 'messages', type: 'messages' }],
        rowOf: (each) => ({ messages: messagesOf(each) }),
      }
    case 'alpaca':
      return {
        name,
        columns: [text('instruction'), text('input'), text('output'), ...(systems ? [text('system')] : [])],
        rowOf: ({ instruction, output, system }) => ({ instruction, input: '', output, ...(systems && { system }) }),
      }
    case 'sharegpt':
      return {
        name,
        columns: [{ name: 'conversations', type: 'turns' }],
        rowOf: (each) => ({
          conversations: messagesOf(each).map(({ role, content }) => ({ from: speakers[role], value: content })),
        }),
      }
    case 'completion':
      return {
        name,
        columns: [text('prompt'), text('completion')],
        rowOf: ({ instruction, output }) => ({ prompt: instruction, completion: output }),
      }
  }
}

/** Returns a form of preferences. System prompts have no place in them: rows of a run have none. */
export function preferenceForm(name: PreferenceForm): Form<Preference> {
  switch (name) {
    case 'dpo':
      return {
        name,
        columns: (['prompt', 'chosen', 'rejected'] as const).map((column) => ({ name: column, type: 'messages' })),
        rowOf: ({ instruction, output, rejected }) => ({
          prompt: [message('user', instruction)],
          chosen: [message('assistant', output)],
          rejected: [message('assistant', rejected)],
        }),
      }
    case 'dpo-text':
      return {
        name,
        columns: [text('prompt'), text('chosen'), text('rejected')],
        rowOf: ({ instruction, output, rejected }) => ({ prompt: instruction, chosen: output, rejected }),
      }
    case 'dpo-messages':
      return {
        name,
        columns: [
          { name: 'messages', type: 'messages' },
          { name: 'chosen', type: 'message' },
          { name: 'rejected', type: 'message' },
        ],
        rowOf: ({ instruction, output, rejected }) => ({
          messages: [message('user', instruction)],
          chosen: message('assistant', output),
          rejected: message('assistant', rejected),
        }),
      }
  }
}

type Role = 'system' | 'user' | 'assistant'

/** Names of the roles in the form of ShareGPT. */
const speakers: Readonly<Record<Role, string>> = { system: 'system', user: 'human', assistant: 'gpt' }

function messagesOf({ instruction, output, system }: Example) {
  const exchange = [message('user', instruction), message('assistant', output)]
  return system === '' ? exchange : [message('system', system), ...exchange]
}

function message(role: Role, content: string): { readonly role: Role; readonly content: string } {
  return { role, content }
}

function text(name: string): Column {
  return { name, type: 'string' }
}
