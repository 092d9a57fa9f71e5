import t from 'tap'
import { isSameModel } from '../../../lib/llm/protocol/model-names.js'
import { call, chatReply, modelServer } from '../model-server.js'
import { openModel } from '../open-model.js'

t.test(
  'a path, a tag, a date, a file ending or other case is the same model; another organisation or size is not',
  (t) => {
    for (const [one, other] of [
      ['gpt-4o', 'gpt-4o-2024-08-06'],
      ['gpt-4', 'gpt-4-0613'],
      ['qwen-plus', 'qwen-plus-20240806'],
      ['qwen3', 'qwen3:latest'],
      ['Qwen/Qwen3-8B', 'Qwen3-8B'],
      ['Qwen/Qwen3-8B', 'qwen/qwen3-8b'],
      ['Qwen3-8B', '/models/Qwen3-8B-Q4_K_M.gguf'],
      ['Qwen/Qwen3-8B', '/data/Qwen3-8B/'],
      ['x', '/m/x.IQ2_XS.gguf'],
      ['x', 'C:\\models\\x.gguf'],
    ] as const) {
      t.ok(isSameModel(one, other), `${one} ${other}`)
      t.ok(isSameModel(other, one), `${other} ${one}`)
    }
    for (const [one, other] of [
      ['a/x', 'b/x'],
      ['Qwen3-8B', 'Qwen3-32B'],
      ['gpt-4o', 'gpt-4o-mini'],
      ['qwen3:8b', 'qwen3:14b'],
      ['m', 'qwen-x'],
      ['model-v1', 'model-v2'],
    ] as const) {
      t.notOk(isSameModel(one, other), `${one} ${other}`)
      t.notOk(isSameModel(other, one), `${other} ${one}`)
    }
    t.end()
  },
)

t.test(
  'a proxy that changes to another model in mid-run is reported once, for whole and streamed replies',
  async (t) => {
    for (const stream of [false, true]) {
      let model = 'qwen-x-2025-01-01'
      const server = await modelServer(t, ({ body, response }) => {
        const reply = chatReply('好') as Record<string, unknown>
        if (body.stream !== true) return { model, ...reply }
        const event = { model, choices: [{ index: 0, delta: { content: '好' }, finish_reason: 'stop' }] }
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.end(`data: ${JSON.stringify(event)}\n\ndata: ${JSON.stringify(event)}\n\ndata: [DONE]\n\n`)
        return undefined
      })
      const notes: string[] = []
      const options = { model: 'qwen-x', endpoints: [server.url], apiKey: 'sk-secret-0123', stream }
      const onEvent = ({ kind, words }: { kind: string; words: string }) => {
        if (kind === 'endpoint-note') notes.push(words)
      }
      const opened = await openModel({ model: options, seed: 1, probe: false, onEvent })
      t.teardown(() => opened.servers.close())
      await opened.ask(call(1))
      t.strictSame(notes, [], 'a dated name is the same model')
      model = 'other-y sk-secret-0123'
      for (const n of [2, 3, 4]) await opened.ask(call(n))
      t.equal(notes.length, 1)
      t.match(notes[0], /^replies come from model 'other-y .*', not 'qwen-x'$/)
      t.notMatch(notes[0], /sk-secret/)
    }
  },
)
