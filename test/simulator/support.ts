/** What the simulator's tests share: one started server a test, and a way to ask it. */
import { request } from 'undici'
import { type Simulator, type SimulatorOptions, startSimulator } from '../../lib/simulator/vllm/index.js'

interface Test {
  teardown(close: () => Promise<void>): unknown
}

export async function started(t: Test, options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = await startSimulator(options)
  t.teardown(() => simulator.close())
  return simulator
}

/** A JSON value whose fields a test reads; what is missing fails the comparison, not the type check. */
// biome-ignore lint/suspicious/noExplicitAny: replies of every shape are read field by field
export type Json = any

export async function post(
  simulator: Pick<Simulator, 'url'>,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; headers: Record<string, string | string[] | undefined>; body: Json; text: string }> {
  const url = path.startsWith('/v1') ? simulator.url + path.slice(3) : simulator.url.replace(/\/v1$/, path)
  const reply = await request(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  const text = await reply.body.text()
  return { status: reply.statusCode, headers: reply.headers, body: parsed(text), text }
}

export async function get(
  simulator: Pick<Simulator, 'url'>,
  path: string,
): Promise<{ status: number; text: string; body: Json }> {
  const url = path.startsWith('/v1') ? simulator.url + path.slice(3) : simulator.url.replace(/\/v1$/, path)
  const reply = await request(url)
  const text = await reply.body.text()
  return { status: reply.statusCode, text, body: parsed(text) }
}

export function ask(simulator: Simulator, content: string, more: object = {}, headers: Record<string, string> = {}) {
  return post(
    simulator,
    '/v1/chat/completions',
    { messages: [{ role: 'user', content }], temperature: 0, ...more },
    headers,
  )
}

/** The parsed events of a server-sent event stream, and whether it ended with [DONE]. */
export function events(text: string): { pieces: Json[]; done: boolean } {
  const data = text
    .split('\n\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => line.slice(6))
  return {
    pieces: data.filter((line) => line !== '[DONE]').map((line) => JSON.parse(line)),
    done: data.at(-1) === '[DONE]',
  }
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text)
  } catch {
    return null // a test that expects JSON fails on it
  }
}

export const article =
  '城市轨道交通是指在城市中使用车辆在固定导轨上运行的公共交通系统。城市轨道交通运量大、速度快，能够缓解地面道路的拥堵。' +
  '随着城市人口的增长，许多城市开始建设轨道交通线路。建设线路之前，需要调查客流，再选择合适的车辆和信号系统。' +
  '但是，轨道交通的建设成本很高，因此要考虑长期的客流和土地开发。责任编辑：某某\n轨道交通还带动了沿线商业的发展。'
