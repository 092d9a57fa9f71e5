/**
 * What the fakes of model servers share: HTTP on a free port, a model that answers label, score and polish by the
 * prompt, and bodies in OpenAI's shape. What one kind of server refuses, lacks or says otherwise is its own file.
 */
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

export type Json = Record<string, unknown>
/** What a request is for, by its prompt; 'probe' for all that belongs to no record. */
export type Task = 'label' | 'score' | 'polish' | 'probe'

export interface Request {
  readonly method: string
  /** Without the base path: `/chat/completions`; as it was sent where it lies beside it. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Json
  readonly task: Task
  /** Everything the request gives the model to read. */
  readonly prompt: string
  /** Requests of this task before this one. */
  readonly before: number
  /** Time since the first request. */
  readonly sinceFirstMs: number
}

export interface Response {
  readonly status: number
  /** JSON, or text as it is. */
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface FakeServer {
  /** Base address, as a recipe has it. */
  readonly url: string
  readonly answered: { readonly request: Request; readonly status: number }[]
  /** Answers in place of the server: null lets it answer, 'never' leaves the request without an answer. */
  intercept: (request: Request) => Response | 'never' | null
}

/** Starts a fake; it is closed with the test. */
export async function fakeServer(t: Test, answer: (request: Request) => Response, base = '/v1'): Promise<FakeServer> {
  const answered: FakeServer['answered'] = []
  const server: { -readonly [Name in keyof FakeServer]: FakeServer[Name] } = {
    url: '',
    answered,
    intercept: () => null,
  }
  const counts: Record<Task, number> = { label: 0, score: 0, polish: 0, probe: 0 }
  let firstMs = Number.NaN
  const http = createServer((incoming, outgoing) => {
    const parts: Buffer[] = []
    incoming.on('data', (part: Buffer) => parts.push(part))
    incoming.on('end', () => {
      const text = Buffer.concat(parts).toString('utf8')
      const body: Json = text === '' ? {} : JSON.parse(text)
      const prompt = promptOf(body)
      const task = taskOf(prompt)
      const path = (incoming.url ?? '').replace(base, '')
      const { method = 'GET', headers } = incoming
      const before = counts[task]++
      if (Number.isNaN(firstMs)) firstMs = performance.now()
      const request = { method, path, headers, body, task, prompt, before, sinceFirstMs: performance.now() - firstMs }
      const intercepted = server.intercept(request)
      if (intercepted === 'never') return
      const { status, body: sent, headers: more } = intercepted ?? answer(request)
      answered.push({ request, status })
      const isText = typeof sent === 'string'
      outgoing.writeHead(status, { 'content-type': isText ? 'text/plain' : 'application/json', ...more })
      outgoing.end(isText ? sent : JSON.stringify(sent))
    })
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    http.closeAllConnections()
    return new Promise<void>((resolve) => http.close(() => resolve()))
  })
  server.url = `http://127.0.0.1:${(http.address() as AddressInfo).port}${base}`
  return server
}

function promptOf({ messages, prompt }: Json): string {
  if (Array.isArray(messages)) return messages.map(({ content }) => String(content)).join('\n')
  return Array.isArray(prompt) ? prompt.join('\n') : String(prompt ?? '')
}

/** The fixed words of the prompts have none of the marks. */
function taskOf(prompt: string): Task {
  const [text, instruction] = [prompt.includes('【文本】'), prompt.includes('【指令】')]
  // The screen asks for a grade of the text itself.
  if (text && !instruction && prompt.slice(0, prompt.indexOf('【文本】')).includes('【好】')) return 'score'
  if (text) return instruction ? 'polish' : 'label'
  return instruction ? 'score' : 'probe'
}

/** What a server makes of a request: how it ends a turn, and what it lets the model see. */
export interface Behaviour {
  /** An opened turn of the assistant's is continued. */
  readonly continues?: boolean
  readonly finish?: string
  /** Log-probabilities of the first token; none when absent. */
  readonly logprobs?: number | undefined
  /** Of the answer; the requested one by default. */
  readonly model?: string
  /** False where the server does not count. */
  readonly usage?: boolean
  /** Fields of the message besides role and content. */
  readonly message?: Json
  readonly content?: string | null
  /** Replaces the first token of the text in the log-probabilities. */
  readonly firstToken?: string
}

/** A reply to a chat or a completion; of a list of prompts one choice each. */
export function reply(request: Request, behaviour: Behaviour = {}): Response {
  const { body, prompt, path } = request
  const { continues = false, finish = 'stop', usage = true, message = {}, model = body.model } = behaviour
  const isChat = path === '/chat/completions'
  const text = textOf(request, continues)
  const limit = Number(body.max_completion_tokens ?? body.max_tokens ?? 1024)
  const written = [...text].slice(0, limit).join('')
  const finish_reason = written === text ? finish : 'length'
  const content = behaviour.content === undefined ? written : behaviour.content
  const prompts = Array.isArray(body.prompt) ? body.prompt.length : 1
  const tokens = behaviour.firstToken ?? (text[0] as string)
  const logprobs = behaviour.logprobs === undefined ? null : logprobsOf(tokens, behaviour.logprobs, isChat)
  const choices = Array.from({ length: prompts }, (_, index) =>
    isChat
      ? { index, message: { role: 'assistant', content, ...message }, finish_reason, logprobs }
      : { index, text: content, finish_reason, logprobs },
  )
  const prompt_tokens = promptTokens(body, prompt, continues)
  const completion_tokens = [...written].length
  const counts = { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens }
  const object = isChat ? 'chat.completion' : 'text_completion'
  return { status: 200, body: { id: 'fake-1', object, model, choices, ...(usage ? { usage: counts } : {}) } }
}

/** A token a character, four to open and close a turn, three to open the assistant's. */
function promptTokens({ messages }: Json, prompt: string, continues: boolean): number {
  if (!Array.isArray(messages)) return [...prompt].length
  const chars = [...prompt.replaceAll('\n', '')].length
  const isOpened = continues && messages.at(-1)?.role === 'assistant'
  return chars + 4 * (isOpened ? messages.length - 1 : messages.length) + 3
}

/** The model: what it writes depends on the record alone, so that all servers give the same rows. */
function textOf({ task, prompt, body }: Request, continues: boolean): string {
  const messages = Array.isArray(body.messages) ? body.messages : []
  const isOpened = continues && messages.at(-1)?.role === 'assistant'
  const number = numberOf(/【(文本|指令)】([\s\S]*?)【\/\1】/.exec(prompt)?.[2] ?? '')
  if (task === 'label') return `请介绍编号${number}的传统器物怎样使用和维护？`
  const label = number % 4 === 0 ? '差' : '好'
  if (task === 'score') return isOpened ? `${label}】` : `【${label}】`
  if (task === 'probe') return isOpened ? '好】' : '好'
  return `编号${number}的器物需要定期检查和修补，使用前先晾晒三天，再用麻绳和桐油封住缝隙，这样可以多用十几年。`
}

function numberOf(text: string): number {
  return [...text].reduce((sum, character) => (sum * 31 + (character.codePointAt(0) as number)) >>> 0, 7)
}

const others = [...'的是在了不和有大这主中人上为们地个用工时']

/** The first token first, the other label next; `count` of them. */
function logprobsOf(first: string, count: number, isChat: boolean): Json {
  const rest = ['好', '差', ...others].filter((token) => token !== first)
  const tokens = [first, ...rest].slice(0, Math.max(1, count))
  const logprob = (place: number) => (place === 0 ? -0.05 : -3 - place / 2)
  if (isChat) {
    const top_logprobs = tokens.map((token, place) => ({
      token,
      logprob: logprob(place),
      bytes: [...Buffer.from(token)],
    }))
    return { content: [{ ...top_logprobs[0], top_logprobs }] }
  }
  const entries = tokens.map((token, place) => [token, logprob(place)])
  return { tokens: [first], token_logprobs: [-0.05], top_logprobs: [Object.fromEntries(entries)], text_offset: [0] }
}

/** How many log-probabilities a request asks for; undefined for none. */
export function askedLogprobs({ body }: Request): number | undefined {
  if (typeof body.logprobs === 'number') return body.logprobs
  return body.logprobs === true ? Number(body.top_logprobs ?? 0) : undefined
}

export const isReplyPath = ({ path }: Request): boolean => path === '/chat/completions' || path === '/completions'

/** OpenAI's shape of an error, which most follow. */
export function errorBody(message: string, type: string, code: string | number | null, param?: string): Json {
  return { error: { message, type, param: param ?? null, code } }
}

export const notFound: Response = { status: 404, body: { detail: 'Not Found' } }

/** Whether a request gives the model a text with this word: a record that a moderation refuses. */
export function mentions({ task, prompt }: Request, word: string): boolean {
  return task !== 'probe' && prompt.includes(word)
}
