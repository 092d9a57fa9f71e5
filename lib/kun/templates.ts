/**
 * Texts of the built-in prompts. A change of one character needs a new version of the template: replies are keyed by the
 * request, and a dataset names the versions of its prompts.
 *
 * The fixed text comes first and the record's text last, so that the server's prefix cache applies. The fixed text of the
 * chat prompts does not contain the marks 【文本】 and 【指令】, so that only the record's text is between them.
 */

/** The prompt published with m-a-p/Kun-LabelModel (Yi-34B): ChatML, no system message, no newline after the role. */
export const kunLabelPrefix = '<|im_start|>user请直接告诉我，以下回复最有可能对应的指令是什么：\n'
export const kunLabelSuffix = '<|im_end|>\n<|im_start|>assistant\n'
/** Stop texts, and ids of these tokens in Yi's vocabulary: special tokens do not appear in the text. */
export const kunLabelStop = ['<|im_end|>', '<|endoftext|>'] as const
export const kunLabelStopTokenIds = [2, 6, 7, 8] as const

export const screenRubric = `你是一名严格的语料审核员。下面会给出一段文字，请判断它是否适合用来训练中文对话助手。

符合以下全部条件的评为【好】：
1. 内容完整，单独阅读就能看懂，不是残缺的片段，也不是目录、导航或列表的碎片。
2. 言之有物，讲清了知识、经验、事实、道理或故事，读者能从中有所得。
3. 语句通顺，没有乱码、错乱的断句、机器拼凑或反复堆砌的词句。
4. 不是广告、招聘、推销、网站说明、版权声明、博彩或色情内容，也不以引流为目的。
5. 不含普通人的姓名加联系方式、证件号码、住址等隐私。
诗歌、代码、公式、法律条文、对话只要本身完整，同样可以评为【好】。

有任何一条不符合的评为【差】。

只回答【好】或【差】，不要解释。

`

export const labelChatRubric = `你的任务是反推指令：下面会给出一段文字，请把它看作某个人工智能助手的回复，写出用户最有可能提出的那条指令。

要求：
1. 指令必须独立成句，读者没有看过这段文字也能明白，不要出现“这段话”“上文”“该内容”一类的指代。
2. 指令要具体，点明主题、对象和范围；这段文字应当恰好能够回答它。
3. 用中文书写，一到三句话，不要抄录原文的整句，不要透露答案。
4. 如果文字前面给出了它的标题，标题只用来弄清文字讲的是什么；指令里要写出这个主题，不要写“这个标题”。
5. 只写指令本身，不要解释，不要加引号、编号或任何前缀。
6. 如果这段文字不像任何指令的回复（例如目录、导航、广告或残缺的片段），只写一个字：无

示例一
文字：煮米饭前把米浸泡二十分钟，米粒会先吸足水分，受热更均匀，煮出来的饭内外一样软。水量以没过米面一个指节为宜，关火后再焖十分钟，香气更足。
指令：怎样煮米饭才能让米粒软硬均匀？请说明浸泡、水量和焖饭的做法。

示例二
文字：竹子开花并不常见。多数竹种几十年才开一次，开花时会耗尽养分，随后整片枯死。因此养竹人看到竹林开花，往往提前移栽新鞭，以免来年无竹可用。
指令：为什么竹子开花之后会成片枯死？养竹的人通常怎样应对？

示例三
文字：这座石桥建于明代，全长六十余米，共七孔。桥面用青石铺成，两侧栏板刻有莲花和瑞兽。清末一次大水冲毁了东端的两孔，民国时由乡人集资修复。
指令：请介绍一座建于明代的七孔石桥，包括它的规模、装饰以及后来的修复经过。

请为下面的文字写出指令。

`

export const scoreRubric = `你是一名严格的数据审核员。下面会给出一条用户指令，请只根据指令本身判断它是否适合用来训练对话助手。

符合以下全部条件的评为【好】：
1. 意思完整，不看任何其他材料也能理解要做什么。
2. 要求明确具体，能够用一段文字直接作答。
3. 语句通顺，条理清楚，没有乱码、残句、重复或互相矛盾的地方。
4. 不依赖图片、链接、附件，也不指代没有给出的内容。
5. 不涉及普通人的姓名、联系方式等私人信息，也不问只在某一时刻成立、现在已经过时的事情。

标准从严：有任何一条不符合，或者拿不准是否符合的，都评为【差】。

只回答【好】或【差】，不要解释。

`

/** Opens the judge's turn if log-probabilities are read, so that the first token is the grade. */
export const scorePrefill = '【'

export const polishRubric = `你是一名中文写作助手。下面会给出一段参考文字和一条用户指令，请以参考文字为依据写出对指令的回答。

要求：
1. 直接回答指令，不要提到参考文字的存在，也不要说明你是谁。
2. 事实、数字、名称以参考文字为准，不要添加其中没有的事实；如果给出了文字的标题，它只用来弄清文字讲的是什么。
3. 删去与指令无关的内容、广告、残句和乱码，把语句整理通顺，按需要分段。
4. 用中文书写，只写回答本身，不要重复指令，不要加标题、前缀或结束语。

`

export const distilRubric = `你是一名知识可靠的中文写作助手。下面会给出一条用户指令，请根据你的知识写出对它的回答。

要求：
1. 直接回答指令，不要说明你是谁。
2. 只写有把握的事实；没有把握的数字、日期和名称不要写。
3. 语句通顺，条理清楚，按需要分段。
4. 用中文书写，只写回答本身，不要重复指令，不要加标题、前缀或结束语。

`

/** Around an instruction and before its answer, for a model of any format: a base model may measure as well. */
export const ifdOpening = '下面是一条指令，请写出对它的回答。\n\n### 指令：\n'
export const ifdMiddle = '\n\n### 回答：\n'

export const pairAnswersRubric = `你是一名严格的数据审核员。下面会给出一条用户指令和一段回答，请判断这段回答是否完成了指令。

符合以下全部条件的评为【好】：
1. 回答针对这条指令，没有答非所问，也没有只答一部分。
2. 回答完整，没有中途断掉，没有只说套话。
3. 回答里没有广告、网页残留或与指令无关的内容。

有任何一条不符合的评为【差】。

只回答【好】或【差】，不要解释。

`

export const pairFollowsRubric = `你是一名严格的事实核查员。下面会给出一段参考文字和一段回答，请判断回答的内容是否都有参考文字作依据。

符合以下全部条件的评为【好】：
1. 回答里的事实、数字、日期和名称都能在参考文字中找到依据。
2. 回答没有改变参考文字的意思，也没有颠倒因果或对象。
3. 回答没有添加参考文字中没有的事实。

有任何一条不符合的评为【差】。

只回答【好】或【差】，不要解释。

`
