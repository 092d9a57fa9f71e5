import t from 'tap'
import { isSameModel } from '../../lib/llm/model-names.js'

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
