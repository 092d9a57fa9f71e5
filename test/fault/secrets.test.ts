/**
 * Secrets of a run (a key, a header, the password in an address) go to the server and nowhere else, though the server
 * repeats them in every refusal: not to the terminal, not to a file of the run directory, not to what is packed in one.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openPart, rowsOf } from '../../lib/parquet/part-reader.js'
import { readAppendLog } from '../../lib/storage/append-log.js'
import { nodeFiles } from '../../lib/storage/files.js'
import { packCodec, unpackFrame } from '../../lib/storage/replies/reply-pack.js'
import { projectRoot } from '../support/root.js'
import { documents, miniRecipe } from './mini-run.js'

const key = 'sk-key-9f3a71c2e4'
const headerValue = 'tenant-5b8d20aa17'
const password = 'pass wörd/7c1e'
const pair = Buffer.from(`judge-user:${password}`).toString('base64')
/** As they stand, and as they are written in an address or sent. */
const secrets = [key, headerValue, password, encodeURIComponent(password), pair]

const instruction = '请介绍竹子从出笋到成材的生长过程，并说明每个阶段应当怎样照料。'
/** Has no figure or name that the text would have to support. */
const output = '出笋的时候要保持土壤湿润，不要踩踏。长高以后注意通风，把过密的植株疏去一些，其余的会长得更直。'

/** A server that works, refuses, or both, and says in each refusal all that it was sent. */
async function tellingServer(t: Test) {
  const seen = new Set<string>()
  const server = { url: '', seen, mode: 'mixed' as 'mixed' | 'broken' | 'locked', asked: 0 }
  const http = createServer(async (request, response) => {
    const body = await textOf(request)
    for (const secret of told(request)) seen.add(secret)
    if (request.method === 'GET') return void response.writeHead(404).end()
    server.asked++
    const status = statusOf(server, body)
    if (status !== 200) refuse(request, response, status, server.asked)
    else if (server.mode === 'mixed' && server.asked % 9 === 0)
      answer(response, `${instruction}${told(request).join('，')}`)
    else answer(response, replyTo(body))
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  t.teardown(() => {
    http.close()
    http.closeAllConnections()
  })
  server.url = `127.0.0.1:${(http.address() as AddressInfo).port}/v1`
  return server
}

/** A grade, an output or an instruction: one that repeats another is a reject. */
function replyTo(body: string): string {
  if (body.includes('只回答【好】或【差】')) return '【好】'
  return body.includes('写出对指令的回答') ? output : instruction
}

function statusOf({ mode, asked }: { mode: string; asked: number }, body: string): number {
  if (mode === 'locked') return 401
  if (mode === 'broken') return 500
  // The texts of probes are short: they pass, so that a refusal is about a record.
  if (body.length < 400) return 200
  return [200, 400, 200, 500, 200, 429][asked % 6] as number
}

function told({ headers }: IncomingMessage): string[] {
  const authorization = headers.authorization ?? ''
  const plain = authorization.startsWith('Basic ')
    ? Buffer.from(authorization.slice('Basic '.length), 'base64').toString()
    : authorization
  return [authorization, plain, plain.slice(plain.indexOf(':') + 1), String(headers['x-tenant'] ?? '')].filter(
    (text) => text !== '',
  )
}

/** As proxies, templates and other servers write what they were sent; the last is double-escaped once it is in JSON. */
const disguises: readonly ((text: string) => string)[] = [
  (text) => text,
  encodeURIComponent,
  (text) => encodeURIComponent(encodeURIComponent(text)),
  (text) => Buffer.from(`x:${text}`).toString('base64'),
  (text) => [...text].map((sign) => `&#x${sign.charCodeAt(0).toString(16)};`).join(''),
  (text) => [...text].map((sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`).join(''),
]

function refuse(request: IncomingMessage, response: ServerResponse, status: number, turn: number): void {
  const disguise = disguises[turn % disguises.length] as (text: string) => string
  const message = `Incorrect credentials provided: ${told(request).map(disguise).join(' | ')}`
  response.writeHead(status, { 'content-type': 'application/json', 'retry-after': '0' })
  const json = JSON.stringify({ error: { message } })
  // Escapes that need not be: they are gone once the body is decoded.
  response.end(turn % 2 === 0 ? json : json.replaceAll('-', '\\u002D').replaceAll('/', '\\/'))
}

function answer(response: ServerResponse, content: string): void {
  response.writeHead(200, { 'content-type': 'application/json' })
  const choice = { index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }
  response.end(JSON.stringify({ choices: [choice], usage: { prompt_tokens: 7, completion_tokens: 3 } }))
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts).toString()
}

interface Ended {
  readonly code: number
  readonly said: string
}

async function kunStream(...args: string[]): Promise<Ended> {
  const child = spawn(process.execPath, [join(projectRoot, 'dist/bin/kun-stream.js'), ...args], {
    env: { ...process.env, NO_COLOR: '1', KUN_TEST_KEY: key, KUN_TEST_TENANT: headerValue },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (said += bytes))
  const [code] = (await once(child, 'close')) as [number]
  return { code, said }
}

/** Everything in a run directory as text, by path: files as they are, and what Parquet and packs hold. */
async function contentsOf(directory: string): Promise<Map<string, string>> {
  const contents = new Map<string, string>()
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    const path = join(directory, name)
    if ((await nodeFiles.sizeBytes(path)) === null || !/\.\w+$/.test(name)) continue
    contents.set(name, readFileSync(path).toString('latin1'))
    if (name.endsWith('.parquet')) contents.set(`${name}, rows`, await rowsText(path))
    if (name.endsWith('.pack')) contents.set(`${name}, entries`, await entriesText(path))
  }
  return contents
}

async function rowsText(path: string): Promise<string> {
  const part = await openPart(path)
  const rows: Record<string, unknown>[] = []
  for await (const row of rowsOf(part)) rows.push(row)
  await part.close()
  return JSON.stringify(rows, (_, value) => (typeof value === 'bigint' ? String(value) : value))
}

async function entriesText(path: string): Promise<string> {
  const texts: string[] = []
  await readAppendLog({ files: nodeFiles, path }, async (frame) => {
    for (const bytes of await unpackFrame(frame, packCodec, path)) texts.push(Buffer.from(bytes).toString())
  })
  return texts.join('\n')
}

/** The text, and as somebody reads it who undoes escapes and base64. */
function readings(text: string): string[] {
  const all = [text]
  for (let round = 0; round < 3; round++) {
    const decoded = (all.at(-1) as string)
      .replace(/\\+u([0-9a-f]{4})|%([0-9a-f]{2})|&#x([0-9a-f]+);/gi, (_, ...codes) =>
        String.fromCharCode(Number.parseInt(codes.find((code) => typeof code === 'string') as string, 16)),
      )
      .replaceAll('\\/', '/')
    all.push(decoded)
  }
  const runs = text.match(/[A-Za-z0-9+/=]{12,}/g) ?? []
  return [...all, runs.map((run) => Buffer.from(run, 'base64').toString()).join('\n')]
}

function tellers(contents: ReadonlyMap<string, string>): string[] {
  const found: string[] = []
  for (const [name, text] of contents) {
    const readable = readings(text)
    for (const secret of secrets) {
      const written = [secret, Buffer.from(secret).toString('latin1')]
      if (written.some((form) => readable.some((reading) => reading.includes(form)))) found.push(`${name}: ${secret}`)
    }
  }
  return found
}

async function setUp(t: Test) {
  const [writer, judge] = [await tellingServer(t), await tellingServer(t)]
  const root = t.testdir()
  const [input, recipe, directory] = ['documents.jsonl', 'recipe.yaml', 'run'].map((name) => join(root, name)) as [
    string,
    string,
    string,
  ]
  writeFileSync(input, documents(12).join('\n'))
  const writerModel = `apiKey: env:KUN_TEST_KEY, headers: { X-Tenant: env:KUN_TEST_TENANT }, model: writer`
  const judgeUrl = `http://judge-user:${encodeURIComponent(password)}@${judge.url}`
  writeFileSync(
    recipe,
    miniRecipe(`http://${writer.url}`, input)
      .replace('model: writer, limiter', `${writerModel}, limiter`)
      .replace(`judge: { endpoints: ['http://${writer.url}']`, `judge: { endpoints: ['${judgeUrl}']`),
  )
  return { writer, judge, directory, run: (...more: string[]) => kunStream('run', recipe, '--out', directory, ...more) }
}

t.test('a run whose servers repeat its secrets, stop, and come back: no secret is said or kept', async (t) => {
  const { writer, judge, directory, run } = await setUp(t)
  const leaks = async (when: string, { said }: Ended) =>
    t.strictSame(tellers(new Map([['terminal', said], ...(await contentsOf(directory))])), [], when)

  // Both servers break in mid-run: the run ends by an outage, its words on the terminal.
  judge.mode = 'broken'
  const stopped = await run('--through', 'label')
  t.match(stopped, { code: 0 }, stopped.said)
  await leaks('through label', stopped)
  const away = await run()
  t.not(away.code, 0, away.said)
  await leaks('the judge is broken', away)

  judge.mode = 'mixed'
  const done = await run()
  t.equal(done.code, 0, done.said)
  await leaks('done', done)
  const contents = await contentsOf(directory)
  const kept = [...contents].filter(([, text]) => text.includes('***')).map(([name]) => name.replace(/[\d-]+/g, 'N'))
  t.ok(
    kept.some((name) => name.startsWith('rejects/')),
    `words of refusals are in ${kept.join('; ')}`,
  )
  t.ok(
    [...contents.keys()].some((name) => name.startsWith('data/')),
    'and there are rows',
  )

  t.ok(writer.seen.has(`Bearer ${key}`) && writer.seen.has(headerValue), 'the writer was sent its key and its header')
  t.ok(judge.seen.has(password), 'the judge was sent its password')
})

t.test('a server that refuses the key, and a recipe with a wrong address: the message has no secret', async (t) => {
  const { writer, directory, run } = await setUp(t)
  writer.mode = 'locked'
  const locked = await run()
  t.equal(locked.code, 2, locked.said)
  t.match(locked.said, /\*\*\*/)
  t.strictSame(tellers(new Map([['terminal', locked.said]])), [])
  for (const address of [
    `ftp://judge-user:${encodeURIComponent(password)}@127.0.0.1/v1`,
    `judge-user:${password}@nowhere`,
  ]) {
    const wrong = await run('--set', `models.judge.endpoints=["${address}"]`)
    t.equal(wrong.code, 2, wrong.said)
    t.strictSame(tellers(new Map([['terminal', wrong.said]])), [], wrong.said)
  }
  t.strictSame(readdirSync(join(directory, '..')).includes('run'), false, 'nothing is written')
})
