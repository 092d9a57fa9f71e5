/** A model server in a few lines, for what a client must stand: each test says how it answers. */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import type { Call, CompletionRequest } from '../../lib/llm/types.js'

export interface Asked {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Record<string, unknown>
  readonly response: ServerResponse
  readonly request: IncomingMessage
}

/** Answers what a POST asks; `undefined` means that it answered by itself. */
export type Answerer = (asked: Asked) => unknown

export interface ModelServer {
  readonly url: string
  readonly asked: Asked[]
  answer: Answerer
  get: (path: string) => { status: number; body: string }
  close(): Promise<void>
}

export async function modelServer(t: Test, answer: Answerer = () => chatReply('好'), port = 0): Promise<ModelServer> {
  const asked: Asked[] = []
  const http = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', async () => {
      const path = request.url ?? ''
      if (request.method === 'GET') {
        const { status, body } = server.get(path)
        response.writeHead(status).end(body)
        return
      }
      const body = JSON.parse(Buffer.concat(parts).toString('utf8'))
      const one: Asked = { path, headers: request.headers, body, response, request }
      asked.push(one)
      const reply = await server.answer(one)
      if (reply !== undefined && !response.destroyed) sendJson(response, 200, reply)
    })
  })
  await new Promise<void>((resolve) => http.listen(port, '127.0.0.1', resolve))
  const server: ModelServer = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/v1`,
    asked,
    answer,
    get: (path) => (path === '/health' ? { status: 200, body: '' } : { status: 404, body: 'not found' }),
    close: () =>
      new Promise<void>((resolve) => {
        http.close(() => resolve())
        http.closeAllConnections()
      }),
  }
  t.teardown(() => server.close())
  return server
}

export function sendJson(response: ServerResponse, status: number, body: unknown, headers = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

export function chatReply(content: string | null, more: Record<string, unknown> = {}): unknown {
  return {
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop', ...more }],
    usage: { prompt_tokens: 7, completion_tokens: 3 },
  }
}

/** The text of the last message, or the prompt. */
export function promptOf({ body }: Pick<Asked, 'body'>): string {
  const messages = body.messages as { content: string }[] | undefined
  return messages === undefined ? String(body.prompt) : String(messages.at(-1)?.content)
}

/** A call about record `r${n}` at block 0. */
export function call(n: number, more: Partial<Call> = {}): Call {
  return {
    record: `r${n}`,
    position: [0, n],
    stage: 'label',
    stageOrder: 0,
    request: chat(`text ${n}`),
    fault: () => null,
    signal: new AbortController().signal,
    ...more,
  }
}

export function chat(content: string, sampling: Record<string, unknown> = { max_tokens: 8 }): CompletionRequest {
  return { kind: 'chat', messages: [{ role: 'user', content }], sampling }
}

/** A promise to be resolved from outside. */
export interface Gate {
  readonly opened: Promise<void>
  readonly open: () => void
}

export function gate(): Gate {
  let open: () => void = () => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open: () => open() }
}

/** Resolves when `holds` does, looked at after every turn of the event loop. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve))
}
