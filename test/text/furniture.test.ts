import t from 'tap'
import { createCleaner } from '../../lib/text/clean.js'
import { codesOf, codesToString } from '../../lib/text/code-units.js'
import { LineJudge } from '../../lib/text/line-judge.js'
import { Random, testSeed } from '../support/random.js'

const cleaner = createCleaner()

function clean(text: string): string {
  const { codes, length } = cleaner(text)
  return codesToString(codes, 0, length)
}

const prose = [
  '活字印刷术由北宋的毕昇发明，他用胶泥刻字，一字一印，火烧变硬，排版时把活字排在铁板上，用松脂和蜡固定。',
  '印完之后把铁板加热，活字便可取下再用。沈括在《梦溪笔谈》中详细记载了这一方法，后来又传到了别的国家去。',
]
const around = (line: string) => clean(`${prose[0]}\n${line}\n${prose[1]}`)
const both = prose.join('\n')

/** By kind: the forms in which pages print it. */
const furniture: Readonly<Record<string, readonly string[]>> = {
  'ways and menus': [
    '首页 > 新闻中心 > 公司新闻',
    '当前位置：首页 » 历史 » 正文',
    '您现在的位置: 网站首页 > 文化频道 > 印刷',
    '首页 | 公司简介 | 产品中心 | 联系我们',
    '国内 国际 军事 财经 体育 娱乐',
    '首页｜新闻｜论坛｜博客',
    '【打印】【关闭】【收藏】',
    '登录 | 注册',
    '返回顶部',
    '[返回列表]',
    '设为首页 加入收藏 网站地图',
    '1 2 3 4 5 下一页 尾页',
    '共12页 1/12 首页 上一页 下一页 末页',
  ],
  'other pages': [
    '上一篇：公司召开年中总结会',
    '下一篇:没有了',
    '上一篇 古代的造纸术',
    '相关阅读：造纸术的由来',
    '标签云',
    '热门搜索：连衣裙 运动鞋 手机壳 充电宝',
    '友情链接：某某网 某某论坛',
  ],
  'head and foot': [
    '责任编辑：王小明',
    '（责编：王小明、李小红）',
    '本文来源：某某网',
    '2013-05-06 10:20 来源：某某网 浏览：123次 字号：大 中 小',
    '发布时间：2015年3月4日 点击数：1024',
    '分享到：微信 新浪微博 QQ空间',
    '扫一扫，关注我们',
    '长按识别二维码关注公众号',
    '客服热线：400-000-0000 工作时间：9:00-18:00',
  ],
  rights: [
    '版权所有 某某公司',
    'Copyright © 2009-2021 某某网 All Rights Reserved',
    '沪ICP备00000000号-1 沪公网安备00000000号',
    '免责声明：本文仅代表作者个人观点，与本网无关。',
    '未经授权，不得转载。',
    '声明：本站内容来自网络，如有侵权请联系删除。',
    '本站所有文章均来自网络，版权归原作者所有。',
  ],
  forms: [
    '请先登录后再发表评论！',
    '用户名： 密码： 验证码：',
    '忘记密码？ 立即注册',
    '网友评论仅供其表达个人看法，并不表明本站同意其观点。',
    '最新评论 最热评论 查看更多',
    '我要评论(0)',
    '图片加载中，请稍候……',
    '昵称： 邮箱： 网址：',
    '按地区：全部 内地 香港 台湾',
    '新闻中心：公司新闻 行业动态 媒体报道',
    '该评论已被删除',
    '您还没有登录，请登录后再试',
    '3# 发表于 2013-4-9 22:02 | 只看该作者',
    '每页显示 10 20 50 条 共 2163 条记录',
    '标签：人工智能 大数据 云计算 区块链 物联网 元宇宙 芯片 新能源 自动驾驶',
  ],
}

t.test('Lines of furniture are cut and counted', async (t) => {
  for (const [kind, lines] of Object.entries(furniture)) {
    for (const line of lines) {
      t.equal(around(line), both, `${kind}: ${line}`)
      t.equal(cleaner(`${prose[0]}\n${line}\n${prose[1]}`).furnitureChars, line.length + 1)
    }
  }
})

t.test('Lines that are text stay, also if they mention furniture', async (t) => {
  for (const line of [
    '他在上一篇文章里说，版权所有这四个字印在每一本书的最后一页。',
    '下一页写着一首诗。',
    '首页是一本杂志的脸面。',
    '这本书的版权所有人是他的女儿。',
    '他把论文分享到了课题组的群里，大家看了都说好。',
    '责任编辑的工作是审读稿件。',
    '相关阅读材料由教师在课前发给学生。',
    '第一步：点击下载',
    '1. 打开网站，点击登录注册',
    '设置 > 通用 > 关于本机',
    '| 首页 | 新闻 | 论坛 |',
    '中国 | 日本 | 韩国 | 越南',
    '来源：《诗经·秦风》，是其中最有名的一篇，历来为人传诵。',
    '目的：比较两种方法。',
    '编辑：张老师，您好，我有一个问题想请教。',
    '时间：2023年5月1日 地点：会议室',
    '“请先登录。”他说。',
    '新闻',
    '小小的船儿摇啊摇',
    '互联网 / 大数据 / 人工智能',
    '关注我们的地球',
    '更多精彩还在后面',
    '暂无定论',
    '会员可以免费阅读全文。',
    '后续请关注天气变化',
    '声明：我方保留追究的权利。',
    '来源于生活，高于生活',
    'A. 首页 B. 目录 C. 封底 D. 书脊',
    '地址：长安路一号 电话：八六五四三二一',
    '该用户在三年前已经搬走。',
    '姓名：张三 年龄：三十岁',
    '登录后台，检查设置。',
  ]) {
    t.equal(around(line), `${prose[0]}\n${line}\n${prose[1]}`, line)
  }
})

t.test('A list of other pages is cut with its heading, but the title before a text stays', async (t) => {
  const list = '相关阅读\n造纸术的由来\n指南针是谁发明的？\n火药的历史'
  t.equal(clean(`${both}\n${list}`), both)
  t.equal(clean(`${both}\n${list}\n热门文章\n古代的桥\n版权所有`), both)
  t.equal(clean(`热点新闻\n今日头条的标题\n活字印刷术的发明\n${both}`), `活字印刷术的发明\n${both}`)
  t.equal(clean(`${both}\n新闻\n体育\n娱乐\n财经`), both, 'a run of menu words')
  t.equal(clean(`${both}\n新闻\n体育`), `${both}\n新闻\n体育`, 'two are too few')
})

t.test('Labels that a text may have as well are cut at its head and foot alone', async (t) => {
  const many = Array.from({ length: 8 }, (_, index) => `${prose[index % 2]}这是第${index}段。`).join('\n')
  t.equal(clean(`印刷术\n来源：某某网\n${many}\n编辑：王小明`), `印刷术\n${many}`)
  t.equal(clean(`${many}\n来源：某某网\n${many}`), `${many}\n来源：某某网\n${many}`)
})

t.test('What follows the last sentence of a line is cut: calls to read on, and editors', async (t) => {
  const cut = '红薯的种类很多，有黄心的、白心的、紫心的，选购的时候首先要看'
  for (const tail of [
    '……[查看全文]',
    '...点击阅读全文',
    '…… 阅读全文 >>',
    '[详细]',
    '……（全文）',
    '……点击查看更多',
    ' 更多>>',
  ]) {
    t.equal(clean(cut + tail), cut, tail)
    t.equal(cleaner(cut + tail).teasers, 1, tail)
  }
  for (const tail of [
    '（责任编辑：王小明）',
    ' 责任编辑：王小明',
    '[来源：某某网]',
    '点击查看原文',
    '(原标题：活字印刷的故事)',
    '[编辑]',
  ]) {
    t.equal(clean(`${prose[0]}${tail}`), prose[0], tail)
    t.equal(cleaner(`${prose[0]}${tail}`).teasers, 0, tail)
  }
  for (const line of [
    '请大家回去阅读全文。',
    '他说：“我还没有阅读全文”',
    '这件事说来话长……',
    '（编辑部的故事）',
    '他点击了阅读原文。',
  ]) {
    t.equal(clean(`${prose[0]}${line}`), `${prose[0]}${line}`, line)
  }
})

t.test('Lines that offer the rest are cut, and a text that breaks off before one is a teaser', async (t) => {
  const cut = '红薯的种类很多，有黄心的、白心的、紫心的，选购的时候首先要看'
  for (const offer of [
    '阅读全文',
    '[查看全文]',
    '点击展开全文>>',
    '余下内容登录后阅读',
    '您还可以下载客户端继续阅读完整内容',
  ]) {
    t.equal(clean(`${cut}……\n${offer}`), `${cut}……`, offer)
    t.equal(cleaner(`${cut}……\n${offer}`).teasers, 1, offer)
    t.equal(cleaner(`${prose[0]}\n${offer}`).teasers, 0, offer)
  }
  for (const tail of [
    '……点击阅读全文查看答案',
    '……（全文共 1208 字，余下内容需要付费阅读）',
    '……【本文未完，剩余内容登录后阅读】',
  ]) {
    t.equal(clean(cut + tail), cut, tail)
    t.equal(cleaner(cut + tail).teasers, 1, tail)
  }
})

t.test('Calls to act are cut at the head and the foot alone', async (t) => {
  for (const call of [
    '扫描二维码关注我们的公众号，获取更多会计知识',
    '更多美食教程请加微信 meishi0000 领取',
    '觉得不错的话，记得点赞收藏哦',
  ]) {
    t.equal(clean(`${both}\n${call}`), both, call)
  }
  const many = Array.from({ length: 8 }, (_, index) => `${prose[index % 2]}这是第${index}段。`).join('\n')
  t.equal(clean(`${many}\n扫码关注我们的微信，领取资料\n${many}`), `${many}\n扫码关注我们的微信，领取资料\n${many}`)
})

t.test('A title that is said twice is said once', async (t) => {
  t.equal(clean(`活字印刷术\n活字印刷术\n${both}`), `活字印刷术\n${both}`)
  t.equal(clean(`活字印刷术 - 某某网\n活字印刷术\n${both}`), `活字印刷术\n${both}`)
  t.equal(clean(`活字印刷术_历史_某某网\n\n活字印刷术\n\n${both}`), `活字印刷术\n\n${both}`)
  t.equal(clean(`活字印刷术\n活字印刷术|某某网\n${both}`), `活字印刷术\n${both}`)
  const song = '摇啊摇摇到外婆桥\n摇啊摇摇到外婆桥\n外婆叫我好宝宝'
  t.equal(clean(song), song, 'a refrain is no title')
  t.equal(clean(`他走了。\n他走了。\n${both}`), `他走了。\n他走了。\n${both}`, 'nor is a sentence')
})

t.test('Furniture in fenced code stays', async (t) => {
  const text = `${both}\n\`\`\`\n首页 | 新闻 | 论坛\n返回顶部\n\`\`\``
  t.equal(clean(text), text)
})

t.test('A page of nothing but furniture leaves nothing, and shows what it was', async (t) => {
  const page = Object.values(furniture).flat().join('\n')
  const { length, furnitureChars, beforeCut } = cleaner(page)
  t.equal(length, 0)
  t.equal(furnitureChars, page.length)
  t.ok(beforeCut?.startsWith(furniture['ways and menus']?.[0] as string))
})

t.test('Cutting twice is cutting once, and what was cut before changes nothing', async (t) => {
  const seed = testSeed()
  t.comment(`KUN_SEED=${seed}`)
  const random = new Random(seed)
  const lines = [
    ...Object.values(furniture).flat(),
    ...prose,
    ...[
      '',
      '来源：某某网',
      '编辑：王小明',
      '新闻',
      '体育',
      '论坛',
      '相关阅读',
      '热门文章',
      '古代的桥',
      '造纸术的由来？',
    ],
    ...[
      '第一步：点击下载',
      '```',
      '活字印刷术',
      '活字印刷术 - 某某网',
      '选购时首先要看……[详细]',
      `${prose[1]}（责任编辑：王）`,
    ],
  ]
  for (let round = 0; round < 3000; round++) {
    const count = random.between(1, 24)
    const text = Array.from({ length: count }, () => lines[random.between(0, lines.length - 1)]).join('\n')
    const once = clean(text)
    if (clean(once) === once && clean(text) === once) continue
    t.equal(clean(once), once, JSON.stringify(text))
    return
  }
  t.pass('3000 texts')
})

t.test(
  'A line that repeats is judged once, also in later texts, and lines beyond the bound of the table alike',
  async (t) => {
    const judgedIn = (lines: readonly string[], judge = new LineJudge()) => {
      const before = judge.judged
      const codes = codesOf(lines.join(''))
      let at = 0
      const found = lines.map((line) => {
        const number = judge.judge(codes, at, at + line.length)
        at += line.length
        return [judge.verdict[number], judge.tailChars[number], judge.teasers[number]].join()
      })
      return { found, judged: judge.judged - before }
    }
    const kinds = ['新闻', '相关阅读', '版权所有', '来源：甲', '春天来了。', '话说到这里……[详细]']
    const alone = kinds.map((line) => judgedIn([line]).found[0])
    const many = Array.from({ length: 20_000 }, (_, index) => kinds[index % kinds.length] as string)
    const judge = new LineJudge()
    const repeated = judgedIn(many, judge)
    t.equal(repeated.judged, kinds.length)
    t.equal(judgedIn([...kinds, '来源：乙'], judge).judged, 1)
    t.same(
      repeated.found.slice(-kinds.length),
      alone.concat(alone).slice(20_000 % kinds.length, (20_000 % kinds.length) + 6),
    )
    const ideograph = (index: number) => String.fromCharCode(0x4e00 + index)
    const different = Array.from({ length: 6000 }, (_, index) => `来源：甲${ideograph(index)}`)
    const beyond = judgedIn([...different, ...different])
    t.ok(beyond.judged <= 6000 + 6000)
    t.same(new Set(beyond.found).size, 1)
  },
)

t.test('Lines that differ in their digits alone are judged once, and as each would be', async (t) => {
  const judge = new LineJudge()
  const judgementsOf = (lines: readonly string[]) => {
    const codes = codesOf(lines.join(''))
    let at = 0
    return lines.map((line) => {
      const number = judge.judge(codes, at, at + line.length)
      at += line.length
      return [judge.verdict[number], judge.tailChars[number], judge.teasers[number]].join()
    })
  }
  const before = judge.judged
  judgementsOf(Array.from({ length: 900 }, (_, index) => `第${index + 100}页 浏览：${index + 100}次`))
  t.equal(judge.judged - before, 1)
  const forms = [
    '上#页',
    '下#页 共##页',
    '<#>',
    'GMT+#, 12:##',
    '来源：#',
    '评论(##)',
    '##楼 回复',
    '20##-1#-2# 阅读 ###',
    '©20##',
    '话说……[#]',
  ]
  const pages = forms.flatMap((form) => [0, 1, 8, 9].map((digit) => form.replaceAll('#', `${digit}`)))
  t.same(
    judgementsOf([...pages, ...pages.toReversed()]).slice(0, pages.length),
    pages.map((line) => judgementsOf([line])[0]),
  )
  t.not(judgementsOf(['上1页'])[0], judgementsOf(['上2页'])[0])
})
