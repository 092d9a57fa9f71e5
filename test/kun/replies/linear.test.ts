import t from 'tap'
import { instructionFilterOptions } from '../../../lib/kun/replies/filter-options.js'
import { readAnswer } from '../../../lib/kun/replies/read-answer.js'
import { readInstruction } from '../../../lib/kun/replies/read-instruction.js'

const chars = 1 << 15
/** Processor time of one reading, ms: linear ways need 50, quadratic ones 2,500 and more. */
const cpuMsMax = 1_500
const options = instructionFilterOptions.parse({ charsMax: chars * 2 })
const units = [
  ...'a竹【“"（([{\n `<>。，：？-1*#|《.@/=该第',
  '```',
  '。\n',
  '“”',
  '（）',
  '1.',
  '“？',
  '以下',
  '\n- ',
  '注：',
  'http://a.',
  'a@b.',
]

t.test('the time of a reading is linear in the length of the reply, for marks of all kinds in a row', async (t) => {
  for (const unit of units) {
    // Behind a sentence, so that the checks do not end at the first character.
    for (const start of ['', '竹子怎样开花？']) {
      const before = process.cpuUsage().user
      const reply = `${start}${unit.repeat(chars / unit.length)}好`
      readInstruction(reply, { text: '', title: '' }, options)
      readAnswer(reply, { instruction: '竹子怎样开花？请说明原因。', text: '' })
      const cpuMs = (process.cpuUsage().user - before) / 1000
      t.ok(cpuMs < cpuMsMax, `${JSON.stringify(unit)}: ${cpuMs} ms`)
    }
  }
})
