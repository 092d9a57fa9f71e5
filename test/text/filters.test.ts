import t from 'tap'
import { createCleaner } from '../../lib/text/clean.js'
import { createTextMeters, type FilterReason, filterReasons, filterText } from '../../lib/text/filters.js'
import { qualityOptions } from '../../lib/text/quality-options.js'
import { TextMemory } from '../../lib/text/text-memory.js'
import { Random, testSeed } from '../support/random.js'
import { article } from './support.js'

const memory = new TextMemory()
const cleaner = createCleaner(memory)
const meters = createTextMeters(memory)
const { repetition } = meters
const off = Object.fromEntries(Object.keys(qualityOptions.shape).map((name) => [name, false]))

function reasonOf(text: string, options: unknown = {}): string | null {
  return filterText(cleaner(text), qualityOptions.parse(options), meters)?.reason ?? null
}

const lines = (count: number, line: (index: number) => string) =>
  Array.from({ length: count }, (_, i) => line(i)).join('\n')

/** Options with which the text of a reason is refused for that reason. */
function optionsOf(reason: FilterReason): unknown {
  if (reason === 'too-long') return { charsMax: 500 }
  return reason === 'classifier' ? { advertisingMax: false } : {}
}

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
  classifier:
    '本校面向零基础学员，小班授课，专业名师团队，学完推荐就业，名额有限，欢迎咨询。现在预约试听还可领取资料一套，' +
    '团报更划算，分期付款零压力，毕业学员月薪过万，校区就在地铁口，随到随学，热线咨询。',
  'repeated-lines': `${article(3)}\n${lines(20, (i) => `这一行在页面上反复出现第${i % 2}次了啊`)}`,
  'repeated-ngrams': '他走到了桥边又走了回来接着想了想，'.repeat(30),
}

t.test('Every filter rejects the text made for it, and no other filter does', async (t) => {
  for (const reason of filterReasons) {
    const options = optionsOf(reason)
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

/** Good texts of kinds that a rule could take for something else. */
const unusual = [
  '两个黄鹂鸣翠柳\n一行白鹭上青天\n窗含西岭千秋雪\n门泊东吴万里船\n朝辞白帝彩云间\n千里江陵一日还\n两岸猿声啼不住\n轻舟已过万重山',
  '天地玄黄，宇宙洪荒。日月盈昃，辰宿列张。寒来暑往，秋收冬藏。闰余成岁，律吕调阳。云腾致雨，露结为霜。金生丽水，玉出昆冈。',
  '太阳出来照山岗\n阿妹河边洗衣裳\n哥哥你要去远方\n记得回来看爹娘\n哎哟哟 看爹娘\n哎哟哟 看爹娘\n月亮出来亮堂堂\n' +
    '阿妹灯下缝衣裳\n哥哥你要去远方\n记得回来看爹娘\n哎哟哟 看爹娘\n哎哟哟 看爹娘',
  '西红柿两个，鸡蛋三个，葱一根，盐、糖、油适量。\n西红柿切块，鸡蛋打散加盐。热锅倒油，倒入蛋液，凝固盛出。下葱花、西红柿，翻炒出汁，倒回鸡蛋，翻匀出锅。',
  '甲：请问图书馆怎么走？\n乙：一直往前，到第二个路口往左拐。\n甲：远吗？\n乙：不远，走五分钟就到。\n甲：今天开门吗？\n乙：开，周一才休息。',
  '日语里表示存在的动词有两个：いる用于人和动物，ある用于没有生命的东西。例如“猫がいる”是“有猫”，“本がある”是“有书”，初学者常常混淆。',
  '1911年10月10日，武昌起义爆发。1912年1月1日，中华民国临时政府成立。1912年2月12日，清帝退位。1915年12月12日，袁世凯宣布恢复帝制。',
  '缓存(cache)保存最近用过的数据，队列(queue)先进先出，栈(stack)后进先出，散列表(hash table)按键查找，这些结构在操作系统里到处都有。',
  '二十四节气：立春、雨水、惊蛰、春分、清明、谷雨、立夏、小满、芒种、夏至、小暑、大暑、立秋、处暑、白露、秋分、寒露、霜降、立冬、小雪、大雪、冬至、小寒、大寒。',
  '地铁5号线，南起天通苑，北至宋家庄，全长27.6公里，共设23座车站，2007年10月7日开通，采用6节编组B型车，日均客流约90万人次。',
  '桂枝三两（去皮），芍药三两，甘草二两（炙），生姜三两（切），大枣十二枚（擘）。上五味，㕮咀三味，以水七升，微火煮取三升，去滓，适寒温，服一升。',
  '用 CSS 让一个盒子居中：.box { display: flex; justify-content: center; align-items: center; }。不用 flex 时，可以用 position: absolute 加 transform。',
  '| 方法 | 优点 | 缺点 |\n|---|---|---|\n| 冒泡排序 | 实现简单，稳定 | 速度慢 |\n| 快速排序 | 平均速度快 | 最坏情况退化 |\n选择时要看数据的规模。',
  '安装完 Node.js 之后，可以用 npm config set registry https://registry.npmmirror.com 换成国内镜像，这样安装依赖会快很多。' +
    '想恢复官方源，只要再把地址改回 https://registry.npmjs.org 即可，不用重新安装。',
  'sin(α+β)=sinαcosβ+cosαsinβ\ncos(α+β)=cosαcosβ-sinαsinβ\ntan(α+β)=(tanα+tanβ)/(1-tanαtanβ)\n令 α=β，得二倍角公式，在求最值时常用。',
  '我哋細個嗰陣，成日去街市幫阿媽買餸。賣魚嘅阿伯識得我，每次都會送條葱。而家街市拆咗，起咗商場，啲嘢貴咗好多，不過偶然仲會見到佢。',
]

t.test(
  'Poems, songs, classics, recipes, dialogues, lessons and chronicles, formulas, code and lists pass',
  async (t) => {
    for (const text of unusual) t.equal(reasonOf(text, { classifierScoreMin: false }), null, text.slice(0, 12))
  },
)

/** Texts that a filter rejects in another form than the one of `refused`. */
const otherForms: readonly (readonly [FilterReason, string])[] = [
  [
    'obfuscated',
    '某公司办理dai款业务，无需抵ya，当天放kuan，利xi很低，额du高，征xin不好的老板也能来办，骗zi请绕道而行，大家不要错过这次机会。',
  ],
  ['obfuscated', '免·费·领·取·话·费·每·天·都·有·惊·喜·先·到·先·得·数·量·不·多·机·会·难·得·错·过·可·惜'],
  [
    'obfuscated',
    '數(shù)字化車間建設(shè)要以需求為牽引，以效益為驅(qū)動(dòng)，在先進設(shè)備的基礎(chǔ)上，在管理方面深挖潛力，發(fā)揮人的作用，不斷提高。',
  ],
  [
    'advertising',
    '店面開張，全館商品滿千送百，買一送一，數量有限，先到先得，歡迎來電咨詢，歡迎選購，也可以加微信聯絡店長，當天發貨，不滿意包退包換。',
  ],
  [
    'teaser',
    '老李在河边捡到一只旧箱子，里面的东西让全村人都吃了一惊。原来那不是别的，正是三十年前丢失的那一件，至于后来怎样了，请登录后阅读。',
  ],
  [
    'link-list',
    lines(
      5,
      (i) =>
        [
          '男子花三百元买下旧柜子，打开一看愣住了',
          '这五种水果不能空腹吃，你家里也许就有',
          '深山里发现一座老宅，门上的字没有人认得',
          '他和她走到了这一步，朋友们都没有想到',
          '全世界最危险的五条公路，没人敢走第二次',
        ][i] ?? '',
    ),
  ],
  [
    'keyword-stuffing',
    '湿地好看，湿地好玩，湿地公园美，湿地公园大，湿地公园近，湿地公园静，湿地公园凉，湿地公园香，湿地公园远，湿地公园宽，湿地公园深。',
  ],
  [
    'data-rows',
    '2022-06-01 08:12:33 服务启动成功，开始接受请求和任务\n2022-06-01 08:12:35 连接数据库成功，读入全部配置和用户\n2022-06-01 08:13:01 磁盘空间不足，请管理员清理旧的文件',
  ],
  [
    'forum-page',
    '我要留言\n您的姓名（必填）\n留言标题（必填）\n留言内容\n看不清？换一张\n还可以输入三百字，请文明发言，不要谩骂他人\n匿名发表\n提交留言\n重新填写',
  ],
]

t.test('Filters reject other forms of their kind', async (t) => {
  for (const [reason, text] of otherForms) t.equal(reasonOf(text), reason, text.slice(0, 12))
})

t.test('Every filter is linear: 1 MB of one character, of two in turn, of brackets, of addresses', async (t) => {
  const chars = 500_000
  const measure = (text: string) => {
    const cleaned = cleaner(text)
    const options = qualityOptions.parse({})
    const start = process.cpuUsage()
    for (const name of Object.keys(options)) {
      const alone = qualityOptions.parse({ ...off, [name]: options[name as keyof typeof options] })
      filterText(cleaned, alone, meters)
    }
    const { user, system } = process.cpuUsage(start)
    return (user + system) / 1000
  }
  const prose = Array.from({ length: 2500 }, (_, index) => article(index))
    .join('\n')
    .slice(0, chars)
  measure(prose)
  const ofProse = measure(prose)
  for (const unit of [
    '天',
    '哈呵',
    '()',
    '((',
    'http://a.cn/b ',
    '加',
    '加微信',
    'a天',
    '1 ',
    '1-',
    '\\u',
    '&#',
    '天 ',
    '…',
    '天\n',
    '微信号',
    '？',
    '@a',
  ]) {
    const took = measure(unit.repeat(chars / unit.length))
    t.ok(took < 10 * ofProse + 100, `${JSON.stringify(unit)}: ${took.toFixed(0)} ms, prose ${ofProse.toFixed(0)} ms`)
  }
})

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
    const share = (text: string) => repetition.exact(cleaner(text))
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

t.test('Upper bounds of repetition are not below the exact shares, and clear texts without repetition', async (t) => {
  const seed = testSeed()
  t.comment(`KUN_SEED=${seed}`)
  const random = new Random(seed)
  let letters = 1
  const piece = () =>
    String.fromCharCode(
      ...Array.from({ length: random.between(1, 40) }, () => random.between(0x4e00, 0x4e00 + letters)),
    )
  let below = 0
  for (let round = 0; round < 500; round++) {
    letters = random.between(1, 20_000)
    const pieces = Array.from({ length: random.between(1, 12) }, piece)
    const text = Array.from({ length: random.between(1, 60) }, () => pieces[random.between(0, pieces.length - 1)])
    const cleaned = cleaner(text.join(random.chance(0.5) ? '' : '\n'))
    const { lineShare, gramShare } = repetition.exact(cleaned)
    if (lineShare > repetition.lineShareAtMost(cleaned) || gramShare > repetition.gramShareAtMost(cleaned)) below++
  }
  t.equal(below, 0)
  letters = 20_000
  const different = cleaner(lines(40, piece))
  t.ok(repetition.gramShareAtMost(different) < 0.3)
  t.ok(repetition.lineShareAtMost(different) < 0.3)
})

t.test('Thresholds out of range are refused with the path', async (t) => {
  t.throws(() => qualityOptions.parse({ chineseShareMin: 3 }), /chineseShareMin/)
  t.throws(() => qualityOptions.parse({ chinesShareMin: 0.3 }), /chinesShareMin/)
})
