import t from 'tap'
import { kunOptions } from '../../lib/kun/options.js'
import { withPreset } from '../../lib/kun/preset.js'

const stages = { label: { model: 'm' }, score: { model: 'm' }, polish: { model: 'm' } }
const resolved = (kun: object) => kunOptions.parse(withPreset(kun))

t.test('the preset paper fills in the published sampling, filters and thresholds', async (t) => {
  const { label, score, polish, screen } = resolved({ preset: 'paper', ...stages })
  const sampling = { temperature: 0.5, top_p: 0.95, repetition_penalty: 1.2, max_tokens: 1024 }
  t.strictSame(label.sampling, { ...sampling, stop: null, stop_token_ids: null }, 'no stop texts are passed')
  t.strictSame([score?.sampling, polish?.sampling], [sampling, sampling])
  t.match(label, {
    prompt: 'label-kun',
    filter: { reading: 'published', charsMin: 1, selfContained: false },
    personal: 'keep',
  })
  t.equal(label.filter.keywords.join(' '), '新闻 材料 图片 链接 网址 根据 简历 简介 文章 摘要 文本 提取 关键词 网站')
  t.match(score, {
    method: 'published',
    keepAtLeast: 0.5,
    massAtLeast: 0,
    prompt: { file: 'paper-prompts/score.json' },
  })
  t.match(polish, {
    personal: 'keep',
    tokensMax: 512,
    repairInstruction: true,
    prompt: { file: 'paper-prompts/answer.json' },
  })
  t.match(polish?.filter, { reading: 'published', charsMin: 20, hanShareMin: 0, repetition: true })
  t.equal(polish?.filter.keywords.join(' '), '作为 根据 知识库 2023 抱歉')
  t.equal(screen, undefined, 'a stage that the recipe does not have is not added')
})

t.test('every field of a preset can be overridden, and maps are merged field by field', async (t) => {
  const { label, score, polish } = resolved({
    preset: 'paper',
    label: { model: 'm', prompt: 'label-chat', sampling: { temperature: 0.1 }, filter: { keywords: [] } },
    score: { model: 'm', prompt: 'score', method: 'auto' },
    polish: { model: 'm', tokensMax: 256, filter: { charsMin: 5 } },
  })
  t.strictSame(label.sampling, { temperature: 0.1, top_p: 0.95, repetition_penalty: 1.2, max_tokens: 1024 })
  t.match(label, { prompt: 'label-chat', filter: { keywords: [], reading: 'published' } })
  t.match(score, { prompt: 'score', method: 'auto' })
  t.match(polish, { tokensMax: 256, filter: { charsMin: 5, reading: 'published' } })
  const own = resolved({ preset: 'paper', label: { model: 'm', prompt: { text: '{text}', stop: ['。'] } } })
  t.notOk('stop' in own.label.sampling, 'a prompt of the recipe keeps its stop texts')
})

t.test(
  'outside of the preset paper a text is not penalised for being repeated, and the checks are our own',
  async (t) => {
    const { label, score, polish, preset } = resolved(stages)
    t.equal(preset, 'default')
    t.match(
      [label, score, polish].map((stage) => stage?.sampling.repetition_penalty),
      [1.05, 1.05, 1.05],
    )
    t.match(label.filter, { reading: 'repaired', keywords: [], selfContained: true })
    t.match(polish, { repairInstruction: false, filter: { reading: 'repaired', keywords: [] } })
    t.equal(polish?.tokensMax, undefined)
  },
)

t.test('options of another form are left to validation', async (t) => {
  for (const kun of [null, 'paper', [], { label: 'm' }, { preset: 'papr', label: { model: 'm', filter: 3 } }]) {
    t.equal(kunOptions.safeParse(withPreset(kun)).success, false, JSON.stringify(kun))
  }
})
