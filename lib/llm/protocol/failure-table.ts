/**
 * Table that classifies a server's error by its codes and words, whatever its status.
 * Codes of all rows are matched before any words; the first match decides. Servers whose errors are
 * listed here: OpenAI, Azure, vLLM (V0 and V1), SGLang, llama.cpp, TGI, Ollama, LM Studio, TensorRT-LLM, DashScope,
 * one-api and new-api, DeepSeek, Zhipu, Moonshot, SiliconFlow, Qianfan, Volcengine Ark, MiniMax, OpenRouter, LiteLLM.
 */

/** A kind of ServerError, or a reason of RequestRefusedError. */
export type Meaning = 'account' | 'loading' | 'busy' | 'access' | 'content-refused' | 'context-length'

/** One row: codes are normalised (lower case, letters and digits only), words are as the server wrote them. */
interface FailureRow {
  readonly means: Meaning
  readonly codes?: RegExp
  readonly words?: RegExp
  /** Statuses at which the words count; all if absent. */
  readonly statuses?: readonly number[]
  /** Words that exclude the row. */
  readonly unless?: RegExp
}

/** A rate limit: it passes with time, even if the text speaks of a quota. */
const perTime =
  /per[ -](?:second|minute|hour|day)|rate.?limit|call rate|token rate|\b[rtq]p[msd]\b|(?:retry|try again) (?:in|after) \d|allocat(?:ed|ion) quota|每(?:秒|分钟|小时|天|日)|频率|限流|并发|too many requests/i

/** Words that make a refusal one of the account, not of a record. */
const ofAccount = /账[户号].{0,8}(?:已|被|存在)|your account/i

/** A proxy has no server for the model: none at the moment, or none with that name. */
export const noChannel = /无可用渠道|no available channel/i

const failureTable: readonly FailureRow[] = [
  {
    means: 'content-refused',
    codes:
      /datainspection|contentfilter|contentpolicy|contentblocked|policyviolation|riskcontrol|forbiddenwords?|illegaldetected|contentmoderation|responsibleaipolicy|sensitive(?:words?|content)|contentsensitive|riskdetection|contentrisk|ipinfringement|faqruleblocked|customroleblocked|promptblocked|promptinjection|guardrail|^moderation|moderationblocked|^(?:safety|recitation|prohibitedcontent)$|^(?:code)?1301$|^minimax102[67]$|^qianfan(?:336104|336105|17000)$/,
    words:
      /content (?:exists? )?risk|inappropriate content|unsafe content|harmful content|(?:is|are|was|deemed) (?:unsafe|harmful)|(?:forbidden|prohibited|banned|illegal) (?:words?|content)|(?:blocked|rejected) by (?:the )?(?:\w+ )?(?:policy|filter|moderation|guardrails?)|content[_ ](?:policy|filter|filtering|management|moderation|violat)|sensitive[_ ](?:word|content|information)|(?:considered|deemed) high risk|flagged (?:as|by|for)|requires? moderation|safety (?:system|polic|filter|check|guidelines)|usage polic|data.inspection|违规|违禁|敏感|不合规|内容安全|安全(?:审核|检测|策略|规范)|内容审核|审核不通过|不安全|存在风险|高风险|风控|风险(?:内容|词|文本)|涉政|涉黄|涉恐|不当内容|法律法规/i,
    statuses: [200, 400, 403, 406, 421, 422, 451, 500],
    unless: ofAccount,
  },
  {
    means: 'context-length',
    codes:
      /contextlength|contextsize|contextwindow|stringabovemaxlength|(?:prompt|input)toolong|inputlengthexceed|requesttoolarge|toomanytokens|^code(?:1261|20015|3051)$|^qianfan(?:336007|336103)$/,
    words:
      /context[_ ](?:length|size|window)|max(?:imum)?[_ ](?:model|context|input|sequence|prompt|seq|model_?)[_ ]?len|maximum (?:context|model|input|allowed) |maximum number of (?:input )?tokens|(?:prompt|input|message|request|text)s?(?: is| are|\(s\))? too (?:long|large)|(?:prompt|input)s? .{0,60}(?:is|are) (?:too long|longer than)|too many (?:input |prompt )?tokens|tokens? (?:limit|count) exceed|exceed(?:s|ed|ing)?.{0,40}(?:context|token limit|model token|max_model_len|n_ctx)|max_(?:total|input)_tokens|max_new_tokens` must be <=|inputs` must have less than|range of input length|max input characters|total tokens of .{0,60}exceed|max_tokens.{0,20} must be at least 1, got -|reduce the length of|physical batch size|length of (?:prompt_tokens|messages)|request too large for|上下文(?:长度|窗口|过长|超)|(?:输入|提示词?|prompt|文本|请求|内容|tokens?)[^，。,;；]{0,16}(?:过长|超长|太长|超出[^，。]{0,12}(?:长度|限制|上限)|超过[^，。]{0,12}(?:长度|限制|上限|最大))/i,
    statuses: [200, 400, 403, 413, 422, 500],
    unless: perTime,
  },
  {
    means: 'account',
    codes:
      /^arrear|insufficient(?:user|token|account)?(?:quota|balance|credits?|funds)|quotaexhausted|exceededcurrentquota|^billing|^(?:prepaid|postpaid)?billoverdue|accountoverdue|serviceoverdue|accountdeactivated|accountsuspended|paymentrequired|budgetexceeded|freetier|preconsumetokenquota|commoditynotpurchased|setlimitexceeded|^quotaexceeded$|^(?:code)?(?:1113|1308|1309|1310|30001)$|^minimax(?:1008|2056)$|^qianfan(?:17|19)$/,
    words:
      /insufficient[_ ](?:account |user )?(?:quota|balance|credits?|funds)|balance (?:is )?(?:insufficient|not enough|too low|exhausted)|(?:not enough (?:balance|credits?|quota))|(?:balance|credits?|quota) (?:is |are )?not enough|exceeded your .{0,20}(?:included )?credits|requires more credits|(?:out of|no(?: remaining)?) credits|credits? (?:exhausted|depleted|used up)|arrear|overdue|billing|payment (?:is )?required|exceeded your (?:current |monthly )?quota|quota (?:has been |is )?(?:exhausted|used up|depleted)|(?:budget|spend(?:ing)? limit) (?:has been )?(?:exceeded|reached)|free (?:tier|trial|quota).{0,60}(?:exhausted|used up|ended|expired)|account (?:is |has been )?(?:suspended|deactivated|disabled|not active|in arrears)|good standing|余额(?:不足|已用|耗尽)|(?:额度|配额|免费额度|资源包|套餐|流量包).{0,12}(?:不足|用尽|用完|耗尽|过期|到期)|欠费|账[户号].{0,8}(?:停用|冻结|封禁|欠费|禁用)|请(?:先)?充值/i,
    unless: perTime,
  },
  {
    means: 'loading',
    codes: /modelnotready|modelloading|loadingmodel|modelstarting/,
    words:
      /(?:loading|starting|initiali[sz]ing|warming up|deploying|waking)\b.{0,40}\b(?:model|engine|server|service|weights)|(?:model|engine|server|service|instance|endpoint|application)\b.{0,80}\b(?:(?:is|still|currently|being|has not started|not finished) (?:still |currently |being )?(?:loading|loaded|starting|initiali[sz]ing|initiali[sz]ed|warming|deploying|pulling)|not (?:yet )?(?:ready|loaded|initiali[sz]ed)|scaled to zero|starting up)|(?:模型|服务|实例).{0,12}(?:加载中|启动中|初始化|未就绪|正在加载|正在启动)/i,
    statuses: [200, 400, 404, 409, 424, 425, 429, 500, 502, 503, 504],
  },
  {
    means: 'busy',
    codes:
      /ratelimit|^throttling|toomanyrequests|overloaded|^limit(?:requests|burstrate)$|^resourceexhausted$|batchsizeexceeded|requestlimit(?:ed|exceeded)|concurrencylimit|^(?:code)?(?:1302|1303|1305|50505|50603)$|^minimax(?:1002|1039|1041)$|^qianfan(?:4|18|336501|336502)$/,
    words:
      /rate.?limit|too many (?:concurrent )?requests|overloaded|server (?:is )?busy|too busy|concurrency (?:limit|exceeded)|queue is full|no (?:slot|worker)s? (?:is |are )?available|(?:请求|调用).{0,8}(?:频繁|过多|超限)|限流|并发.{0,8}(?:超|过|限)|(?:系统|服务器|负载|模型).{0,6}(?:繁忙|过载|饱和)/i,
    statuses: [200, 400, 403, 408, 424, 429, 500, 502, 503, 504, 529],
  },
  {
    means: 'access',
    codes:
      /invalid(?:api)?key|apikeyinvalid|authentication|unauthorized|unauthenticated|permissiondenied|accessdenied|modelnot(?:found|exist)|invalidmodel|deploymentnotfound|invalidendpoint|^(?:code)?(?:1000|1001|1002|1003|1004|1211|1220|20012)$|^minimax(?:1004|2049)$|^qianfan(?:6|13|14|15|110|111)$/,
    words:
      /(?:incorrect|invalid|missing|expired|no) .{0,12}api[ _-]?key|api[ _-]?key .{0,20}(?:not valid|invalid|expired|missing)|model .{0,80}(?:does not exist|not exist|not found|is not supported by any)|no such model|no models? (?:is |are )?loaded|unknown model|invalid model\b|模型.{0,40}不存在|(?:令牌|密钥|api.?key).{0,12}(?:无效|错误|过期|不可用)|未授权|无权/i,
    statuses: [200, 400, 401, 403, 404, 422],
    unless: noChannel,
  },
]

/** Classifies an error by this table; null if neither its codes nor its words are known. */
export function meaningOf(codes: readonly string[], words: string, status: number): Meaning | null {
  const counts = ({ unless }: FailureRow) => unless === undefined || !unless.test(words)
  const byCode = failureTable.find((row) => codes.some((code) => row.codes?.test(code)) && counts(row))
  if (byCode !== undefined) return byCode.means
  const byWords = failureTable.find(
    (row) => (row.statuses?.includes(status) ?? true) && row.words?.test(words) && counts(row),
  )
  return byWords?.means ?? null
}
