import t from 'tap'
import { codesOf } from '../../lib/text/code-units.js'
import { textAt } from '../../lib/text/columns.js'
import { isBankCard, isIdNumber } from '../../lib/text/personal/checksums.js'
import { findPersonalData } from '../../lib/text/personal/find.js'
import { describePersonalCounts, readPersonalCounts } from '../../lib/text/personal/kinds.js'
import { maskPersonalData } from '../../lib/text/personal/mask.js'
import { createPreparer, prepareBlock } from '../../lib/text/prepare.js'
import { Random, testSeed } from '../support/random.js'
import { accountingFaults, article, blockOf, jsonl, planOf } from './support.js'

const masked = (text: string) => maskPersonalData(text).text

/** Adds the check character of GB 11643 to 17 digits. */
function idNumber(digits: string): string {
  const sum = [...digits].reduce((all, digit, index) => all + Number(digit) * 2 ** (17 - index), 0)
  return digits + '10X98765432'[sum % 11]
}

/** Adds a Luhn digit. */
function card(digits: string): string {
  const sum = [...digits].reverse().reduce((all, digit, index) => {
    const value = Number(digit) * (index % 2 === 0 ? 2 : 1)
    return all + (value > 9 ? value - 9 : value)
  }, 0)
  return `${digits}${(10 - (sum % 10)) % 10}`
}

t.test('identity numbers and cards are checked by their checksum, date, region and prefix', async (t) => {
  t.ok(isIdNumber('11010519491231002X'), 'the example of GB 11643')
  t.ok(isIdNumber(idNumber('44052420000229001')), 'the 29th of February of a leap year')
  t.notOk(isIdNumber(idNumber('44052419990229001')), 'and of another year')
  t.notOk(isIdNumber(idNumber('99052419900101001')), 'no such province')
  t.notOk(isIdNumber('110105194912310021'), 'another check character')
  t.ok(isBankCard('4111111111111111'), 'a published test number of Visa')
  for (const digits of [
    '622202020000243',
    '621700001000123456',
    '955880202000123456',
    '352812345678901',
    '222112345678901',
  ])
    t.ok(isBankCard(card(digits)), digits)
  t.notOk(isBankCard('4111111111111112'), 'another check digit')
  t.notOk(isBankCard(card('700000000000000')), 'no such prefix')
})

t.test('numbers and accounts of persons are masked in all the forms in which they are written', async (t) => {
  const id = idNumber('44052419800101001')
  const bank = card('622588000000000')
  for (const [text, expected] of [
    ['请拨打13912345678联系', '请拨打〔电话〕联系'],
    ['手机：139-1234-5678。', '手机：〔电话〕。'],
    ['电话 139 1234 5678，谢谢', '电话 〔电话〕，谢谢'],
    ['手机13912345678/13812345678均可', '手机〔电话〕/〔电话〕均可'],
    ['+86 13912345678', '〔电话〕'],
    ['0086-139 1234 5678', '〔电话〕'],
    ['电话：010-87654321、010-12345678', '电话：〔电话〕、〔电话〕'],
    ['（021）6543 2100', '〔电话〕'],
    ['+86-10-8765-4321', '〔电话〕'],
    ['电话：0755-8765432转801', '电话：〔电话〕'],
    ['传真：02187654321', '传真：〔电话〕'],
    ['Tel: 8765-4321', 'Tel: 〔电话〕'],
    ['+852 9123 4567', '〔电话〕'],
    ['+1 (415) 555-2671', '〔电话〕'],
    [`身份证号${id}，`, '身份证号〔身份证号〕，'],
    [`身份证 ${id.slice(0, 6)} ${id.slice(6, 14)} ${id.slice(14)}`, '身份证 〔身份证号〕'],
    ['身份证：440524800101001', '身份证：〔身份证号〕'],
    [`卡号${bank}`, '卡号〔银行卡号〕'],
    [(bank.match(/.{4}/g) ?? []).join(' '), '〔银行卡号〕'],
    ['卡号 4111 1111 1111 1111', '卡号 〔银行卡号〕'],
    ['请发到zhang.san@163.com，谢谢', '请发到〔邮箱〕，谢谢'],
    ['abc＠qq.com', '〔邮箱〕'],
    ['QQ：123456789', 'QQ：〔QQ号〕'],
    ['加QQ群987654321进群', '加QQ群〔QQ号〕进群'],
    ['QQ123456789', 'QQ〔QQ号〕'],
    ['微信号：xiaoming', '微信号：〔微信号〕'],
    ['加V：hello_99', '加V：〔微信号〕'],
    ['VX：abc12345', 'VX：〔微信号〕'],
    ['vx13912345678', 'vx〔微信号〕'],
    ['微信 wxid_a1b2c3d4e5f6', '微信 〔微信号〕'],
  ] as const) {
    t.equal(masked(text), expected, text)
    t.equal(masked(`前文。${text}`), `前文。${expected}`, `after other text: ${text}`)
  }
})

t.test('figures, codes and published numbers are kept', async (t) => {
  for (const text of [
    '2019年至2023年共有12345678人',
    '1949-10-01 2023-10-05 12:30:45',
    'ISBN 978-7-302-12345-6，ISSN 1000-1234，ISBN：9787302123456',
    '订单号：13912345678，运单号13912345678',
    '售价13800000000元，约13912345678人次',
    '400-820-8820，4008208820，电话：400-820-8820',
    '拨打12315或110、120、12345，客服热线：95588',
    '3.14159265358979，0.13912345678，13912345678.5，113.12345678901',
    '12345678901234567890 10000000 20000000',
    'https://item.example.cn/item.htm?id=13912345678 http://a.cn/13912345678/a@b.cn',
    '192.168.100.100:8080',
    'git@github.com:user/repo.git support@example.com foo@1.2.3 @property',
    'QQ音乐有80000000用户，QQ2013正式版，QQ：2023年上线',
    '微信：WeChat，微信Android版，微信公众号：rmrbwx123，加V字形',
    'a13912345678b id=13912345678 550e8400-e29b-41d4-a716-446655440000',
    '100101200001011234',
    '京ICP备12345678号，GB/T 12345-2008',
    '131 0721 1234 99 1380 1234 5678 9012 3333',
    '13+14=27，13912345678×2，Q：12345是什么数？',
    '时间戳1391234567890，基金代码：000001，账号：123456789012',
    '138****0001',
  ]) {
    t.equal(masked(text), text, text)
  }
})

t.test('a number is found wherever it is in a text', async (t) => {
  const seed = testSeed()
  t.comment(`seed ${seed}`)
  const random = new Random(seed)
  const items = ['13912345678', '010-87654321', 'zhang_san@163.com', idNumber('11010519900307001'), 'wxid_a1b2c3d4e5']
  const fillers = ['今天', '，', 'word ', '第3章', '\n', '2023年', '(', '🌹', '3.5%', '：']
  for (let round = 0; round < 300; round++) {
    const pick = () => fillers[random.between(0, fillers.length - 1)] as string
    const around = () => Array.from({ length: random.between(0, 8) }, pick).join('')
    const item = items[random.between(0, items.length - 1)] as string
    const [before, after] = [`${around()}是`, `。${around()}`]
    const found = findPersonalData(codesOf(before + item + after), (before + item + after).length)
    t.strictSame(
      found.map(({ start, end }) => [start, end]),
      [[before.length, before.length + item.length]],
      JSON.stringify(before + item + after),
    )
  }
})

t.test('reading is linear: a megabyte of anything takes no more than a few times that of prose', async (t) => {
  const time = (unit: string) => {
    const text = unit.repeat(Math.ceil(1e6 / unit.length))
    const codes = codesOf(text)
    const begun = process.cpuUsage()
    findPersonalData(codes, codes.length)
    return process.cpuUsage(begun).user / 1000
  }
  for (const unit of [
    '1',
    '1 ',
    '-1',
    '(',
    '（1）',
    '1*',
    'a@',
    'a.',
    '@.',
    'QQ',
    'vx1',
    '微信：a',
    '138 1234 ',
    '6222 ',
    'http://a.cn/1',
    '微信',
  ])
    t.ok(time(unit) < 3000, unit)
})

const withPhones = `${article(1)}请打13912345678，或写信到 zhang_san@163.com。${article(2)}`
const list = `${article(4, 3)}张女士的电话是138****0001。`

async function prepared(texts: readonly string[], options: unknown) {
  const preparer = await createPreparer(await planOf(options, { signatureLength: 4 }))
  const records = texts.map((text, index) => ({ id: `${index}`, title: '联系人13812345678', text }))
  const found = prepareBlock(blockOf(jsonl(records)), preparer)
  t.same(accountingFaults(found), [])
  return found
}

t.test(
  'mask: texts, titles and excerpts have masks, the account has the kinds, a list of persons is rejected',
  async (t) => {
    const found = await prepared([withPhones, list, '短13912345678'], {})
    t.equal(textAt(found.chunks.text, 0), masked(withPhones))
    t.match(masked(withPhones), '请打〔电话〕，或写信到 〔邮箱〕。')
    t.equal(textAt(found.chunks.title, 0), '联系人〔电话〕')
    t.match(found.rejects, [
      { key: '1', stage: 'filter', reason: 'personal-data', detail: /^1 phone, 1 hidden in \d+ characters$/ },
      { key: '2', reason: 'too-short', excerpt: '短〔电话〕' },
    ])
    t.strictSame(found.personal, { masked: { email: 1, phone: 2 }, dropped: { phone: 1 } })
  },
)

t.test('drop: a document with personal data is rejected; keep: nothing is changed', async (t) => {
  const plain = article(3)
  const dropped = await prepared([withPhones], { personal: 'drop' })
  t.match(dropped.rejects, [{ reason: 'personal-data', detail: '1 email, 2 phone' }])
  t.notMatch(JSON.stringify(dropped.rejects), /13912345678|zhang_san|13812345678/)
  t.strictSame(dropped.personal, { masked: {}, dropped: { email: 1, phone: 2 } })
  const kept = await prepared([withPhones, plain], { personal: 'keep' })
  t.equal(textAt(kept.chunks.text, 0), withPhones)
  t.equal(textAt(kept.chunks.title, 0), '联系人13812345678')
  t.equal(kept.personal, undefined)
})

t.test('the detail of a reject can be read back', async (t) => {
  const counts = { email: 1, 'id-number': 12, qq: 3 }
  t.strictSame(readPersonalCounts(describePersonalCounts(counts)), counts)
  t.strictSame(readPersonalCounts(''), {})
})
