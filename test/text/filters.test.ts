import t from 'tap'
import { createCleaner } from '../../lib/text/clean.js'
import {
  createTextMeters,
  type FilterReason,
  filterReasons,
  filterText,
  qualityOptions,
} from '../../lib/text/filters.js'
import { TextMemory } from '../../lib/text/text-memory.js'
import { Random } from '../support/random.js'
import { article } from './support.js'

const memory = new TextMemory()
const cleaner = createCleaner(memory)
const meters = createTextMeters(memory)
const { repetitionOf } = meters
const off = Object.fromEntries(Object.keys(qualityOptions.shape).map((name) => [name, false]))

function reasonOf(text: string, options: unknown = {}): string | null {
  return filterText(cleaner(text), qualityOptions.parse(options), meters)?.reason ?? null
}

const lines = (count: number, line: (index: number) => string) =>
  Array.from({ length: count }, (_, i) => line(i)).join('\n')

/** A text for every reason, refused by its filter alone. */
const refused: Readonly<Record<FilterReason, string>> = {
  'too-short': '太短。',
  'too-long': article(1, 30),
  'chinese-share': `${'The quick brown fox jumps over the lazy dog. '.repeat(3)}很快。`,
  'symbol-share': article(2).replace(/[，。]/g, '★■→★◆'),
  'digit-share': lines(20, (i) => `价格${i * 7919 + 10007}元编号${i * 104_729}`),
  'url-density': lines(8, (i) => `参见第${i}条资料的全文 http://www.example.cn/archive/${i}/index.html`),
  boilerplate: lines(
    12,
    (i) =>
      `${['上一篇：无', '版权所有 某某公司', '点击查看更多内容', '第三栏目的内容'][i % 4]}${'甲乙丙丁戊己庚辛壬癸子丑'[i]}`,
  ),
  teaser: `${article(7, 3).replaceAll('。', '，')}接下来要说的事情……点击阅读全文`,
  mojibake: `${article(4, 3)}锛屾槸锛鐨鍦锛屾槸锟浜鎴浠鐨銆傚`,
  escapes: `${article(5, 2)}\\u4e2d\\u6587\\u7f16\\u7801&#20013;&#25991;%E4%B8%AD`,
  'foreign-script':
    '本日の天気は晴れで、東京の気温は三十度まで上がりました。週末は雨が降るので、傘を忘れずに持って行きましょう。海も山も人が多いそうです。',
  'rare-han':
    '春天来了，爻厽叀亼亝亗亖龘靐齉齾龗麤龖爨癵驫麣纞虋讟钃鸜麷鞻韽，花都开了，人们在河边散步，风很轻，水很清，鸟也回来了。',
  obfuscated:
    '今天给大家推荐一款好用(yong)的软件(jian)，下载(zai)之后就能(neng)每天收看(kan)最新的节目(mu)，不必再花(hua)一分钱，快来试试看吧。',
  'character-runs':
    '楼上说得太好啦！！！！！！哈哈哈哈哈哈哈哈哈哈哈，我看得肚子都疼了，呜呜呜呜呜呜呜，怎么会有这样的人啊，我也要去看看。',
  'contact-list':
    '采购部王先生，电话139****0001；仓库李先生，电话139****0002。这两位是我们科室的老同事，有事可以直接找他们，下班以后不要打扰。',
  'data-rows': lines(6, (i) => `北城到南山第${i}班 车次K${i}${i} 早上${i}点 晚上${i + 5}点 硬座有票 卧铺${i}张`),
  'link-list': lines(
    6,
    (i) =>
      `${i + 1} ${['怎么在春天里种下一棵果树', '老人为什么要多走路', '孩子不爱吃饭的几个原因', '冬天怎样让家里不干燥', '自己在家里也能做的面包', '和同事相处的一些办法'][i]}`,
  ),
  'keyword-stuffing':
    '小区的电动门好，小区的电动门快，小区的电动门稳，小区的电动门轻，小区的电动门静，小区的电动门亮，小区的电动门美，小区的电动门新。',
  'function-words':
    '连衣裙 运动鞋 手机壳 充电宝 保温杯 双肩包 牛仔裤 防晒衣 行李箱 蓝牙耳机 电动牙刷 面膜 洗面奶 口红 儿童水杯 收纳盒 拖鞋 台灯',
  gambling:
    '新会员开户即送彩金三十八元，首存再送一倍红利。平台有真人荷官发牌的百家乐、捕鱼王和老虎机，体育投注的赔率全网领先，' +
    '滚球、让球盘、大小球应有尽有，提款秒到，请收藏备用网址。',
  adult:
    '本站每日更新成人视频和激情小说，国产自拍、日韩精品高清无码在线观看，午夜福利全部免费播放，' +
    '同城约炮请下载客户端，更有裸聊直播，老司机都懂的。',
  advertising:
    '祖孙三代做竹席，源头厂家，现货供应，支持来样定做，量大从优，全国包邮。春季活动下单立减二十元，再送大礼包一份，' +
    '数量有限，先到先得，欢迎来电咨询，手机微信同号。',
  'spun-text':
    '最近空气炸锅是什么梗很火，很多小伙伴都不知道空气炸锅到底怎么回事，今天小编就为大家带来空气炸锅的相关内容，' +
    '感兴趣的朋友一起来看看吧。以上就是小编整理的全部内容了，希望对大家有所帮助。',
  'forum-page':
    '沙发！感谢楼主分享，好人一生平安。前排占座，坐等更新。不错不错，已收藏，支持一下。路过看看，顺便签到。' +
    '楼上正解，帮顶一个。同求资源，楼主能发我一份吗？先马后看。',
  'repeated-lines': `${article(3)}\n${lines(20, (i) => `这一行在页面上反复出现第${i % 2}次了啊`)}`,
  'repeated-ngrams': '他走到了桥边又走了回来接着想了想，'.repeat(30),
}

t.test('Every filter rejects the text made for it, and no other filter does', async (t) => {
  for (const reason of filterReasons) {
    const options = reason === 'too-long' ? { charsMax: 500 } : {}
    t.equal(reasonOf(refused[reason], options), reason)
    t.equal(reasonOf(refused[reason], off), null, 'nothing is refused with every filter off')
  }
  for (let index = 0; index < 20; index++) t.equal(reasonOf(article(index, 4 + index)), null)
})

/** Texts about what the vocabularies describe, and plain ones with some of their words. */
const spared = [
  '昨日，市公安局召开发布会，通报一起跨境赌博案。犯罪嫌疑人王某等人搭建网络博彩平台，以百家乐、老虎机和体育投注招揽参赌人员，' +
    '涉案赌资超过两亿元。警方提醒，网络赌场的赔率由后台操纵，所谓提款秒到都是骗局。法院以开设赌场罪判处王某有期徒刑六年。',
  '百家乐是一种起源于意大利的纸牌游戏，十五世纪传入法国。庄家与闲家各得两张牌，点数之和只看个位，接近九点者胜。' +
    '概率论学者计算过，庄家的胜率略高于闲家，所以赌场要从庄家的赢利中抽取佣金。',
  '本报记者调查发现，一些直播间打出“厂家直销”“全网最低价”“买一送一”的招牌，消费者下单之后却收到次品。市场监管部门表示，' +
    '虚假宣传违反广告法，消费者可以保留证据，拨打热线投诉维权。',
  '处理二手房买卖时，买方应当先查看产权证，再核对出售人的身份。签订合同之后，双方到登记部门办理过户，首付可以放在监管账户里，' +
    '等过户完成再付给卖方。贷款的额度由银行按收入和征信核定。',
  '论坛的版主说，帖子写得好，回复自然多。他在论坛里发帖十年，从新手做到版主，收藏了许多老照片，也结识了不少朋友。',
  '青春期的少年对自己身体的变化感到好奇，这是正常的。医生建议父母用平常的口气谈论生殖健康，回答孩子的问题，不必回避，也不必一次说完。',
]

t.test('Texts about gambling, advertising or forums pass', async (t) => {
  for (const text of spared) t.equal(reasonOf(text), null, text.slice(0, 20))
})

t.test('A value equal to the threshold passes', async (t) => {
  const text = '天'.repeat(30) + 'x'.repeat(70)
  t.equal(reasonOf(text, { ...off, chineseShareMin: 0.3 }), null)
  t.equal(reasonOf(text, { ...off, chineseShareMin: 0.31 }), 'chinese-share')
  t.equal(reasonOf('天'.repeat(50), { ...off, charsMin: 50, charsMax: 50 }), null)
  t.equal(reasonOf('天'.repeat(49), { ...off, charsMin: 50 }), 'too-short')
  t.equal(reasonOf('天'.repeat(51), { ...off, charsMax: 50 }), 'too-long')
  t.equal(reasonOf('，。！', { ...off, chineseShareMin: 0.3 }), 'chinese-share', 'no letter at all')
})

t.test(
  'Repetition is measured alike whatever was measured before, and is a lower bound close to the truth',
  async (t) => {
    const share = (text: string) => repetitionOf(cleaner(text))
    const random = new Random(7)
    const once = String.fromCharCode(...Array.from({ length: 2000 }, () => random.between(0x4e00, 0x9f00)))
    const twice = `${once}${once}`
    const alone = share(twice)
    share(article(6, 200))
    t.same(share(twice), alone)
    t.ok(alone.gramShare > 0.8 && alone.gramShare <= 1, `${alone.gramShare}`)
    t.ok(share('哈'.repeat(300)).gramShare > 0.95)
    t.same(share('天地玄黄'), { lineShare: 0, gramShare: 0 })
    const line = (index: number) => `第${index}行的内容并不相同`
    t.equal(share(lines(10, line)).lineShare, 0)
    t.equal(share(lines(10, (index) => line(index % 5))).lineShare, 0.5)
  },
)

t.test('Thresholds out of range are refused with the path', async (t) => {
  t.throws(() => qualityOptions.parse({ chineseShareMin: 3 }), /chineseShareMin/)
  t.throws(() => qualityOptions.parse({ chinesShareMin: 0.3 }), /chinesShareMin/)
})
