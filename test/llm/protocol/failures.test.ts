import t from 'tap'
import { RequestRefusedError, type ServerError } from '../../../lib/errors.js'
import { embeddedError } from '../../../lib/llm/protocol/error-body.js'
import { failureOf, failureOfStatus } from '../../../lib/llm/protocol/failures.js'

const openai = (message: string, more: object = {}) => ({
  error: { message, type: null, param: null, code: null, ...more },
})

/** means | status | server | body */
const rows = `
account | 429 | OpenAI: quota | {"error":{"message":"You exceeded your current quota, please check your plan and billing details.","type":"insufficient_quota","code":"insufficient_quota"}}
busy | 429 | OpenAI: rate | {"error":{"message":"Rate limit reached for gpt-4o in organization org-1 on tokens per min (TPM): Limit 30000, Used 29000, Requested 2000. Please try again in 2s. Visit https://platform.openai.com/account/rate-limits to learn more.","type":"tokens","code":"rate_limit_exceeded"}}
account | 400 | OpenAI: a hard limit as 400 | {"error":{"message":"Billing hard limit has been reached","type":"invalid_request_error","code":"billing_hard_limit_reached"}}
context-length | 400 | OpenAI: context | {"error":{"message":"This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}
content-refused | 400 | OpenAI: policy | {"error":{"message":"Invalid prompt: your prompt was flagged as potentially violating our usage policy.","type":"invalid_request_error","code":"invalid_prompt"}}
field | 400 | OpenAI: unknown field | {"error":{"message":"Unrecognized request argument supplied: top_k","type":"invalid_request_error"}}
field | 400 | OpenAI: unsupported field | {"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.","param":"max_tokens","code":"unsupported_parameter"}}
access | 401 | OpenAI: key | {"error":{"message":"Incorrect API key provided","code":"invalid_api_key"}}
content-refused | 400 | Azure: filter | {"error":{"message":"The response was filtered due to the prompt triggering Azure OpenAI's content management policy.","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation"}}}
busy | 429 | Azure: rate | {"error":{"message":"Requests to the ChatCompletions_Create Operation under Azure OpenAI API version 2024-06-01 have exceeded call rate limit of your current OpenAI S0 pricing tier. Please retry after 26 seconds.","code":"429"}}
context-length | 400 | vLLM V0: context | {"object":"error","message":"This model's maximum context length is 4096 tokens. However, you requested 5012 tokens (4912 in the messages, 100 in the completion).","type":"BadRequestError","code":400}
context-length | 400 | vLLM V1: context | {"error":{"message":"The decoder prompt (length 5012) is longer than the maximum model length of 4096. Make sure that \`max_model_len\` is no smaller than the number of text tokens.","type":"BadRequestError","code":400}}
context-length | 400 | vLLM V1: context, another | {"error":{"message":"You passed 4993 input tokens and requested 104 output tokens. However, the model's context length is only 4096 tokens, resulting in a maximum input length of 3992 tokens.","type":"BadRequestError","code":400}}
context-length | 400 | vLLM: nothing left for the reply | {"error":{"message":"max_tokens must be at least 1, got -904.","type":"BadRequestError","code":400}}
field | 400 | vLLM: logprobs | {"error":{"message":"Requested sample logprobs of 20, which is greater than max allowed: 5","type":"BadRequestError","code":400}}
access | 404 | vLLM: model | {"error":{"message":"The model \`x\` does not exist.","type":"NotFoundError","code":404}}
status | 500 | vLLM: engine | {"error":{"message":"EngineCore encountered an issue.","type":"InternalServerError","code":500}}
context-length | 400 | SGLang: context | {"object":"error","message":"The input (5012 tokens) is longer than the model's context length (4096 tokens).","type":"BadRequestError","code":400}
busy | 503 | SGLang: queue | {"object":"error","message":"The request queue is full.","type":"abort","code":503}
loading | 503 | llama.cpp: loading | {"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}
context-length | 400 | llama.cpp: context | {"error":{"code":400,"message":"the request exceeds the available context size, try increasing it","type":"exceed_context_size_error","n_prompt_tokens":5012,"n_ctx":4096}}
context-length | 500 | llama.cpp: context as 500 | {"error":{"code":500,"message":"input is too large to process. increase the physical batch size","type":"server_error"}}
context-length | 422 | TGI: context | {"error":"Input validation error: \`inputs\` tokens + \`max_new_tokens\` must be <= 4096. Given: 3072 \`inputs\` tokens and 1025 \`max_new_tokens\`","error_type":"validation"}
busy | 429 | TGI: full | {"error":"Model is overloaded","error_type":"overloaded"}
field | 422 | TGI: field | {"error":"Input validation error: \`temperature\` must be strictly positive","error_type":"validation"}
loading | 503 | HF endpoint: loading | {"error":"Model Qwen/Qwen3-8B is currently loading","estimated_time":20}
loading | 424 | SageMaker: loading | {"message":"ModelNotReadyException: Model is not ready for inference","ErrorCode":"CLIENT_ERROR"}
access | 404 | Ollama: model | {"error":{"message":"model \\"x\\" not found, try pulling it first","type":"not_found_error"}}
busy | 503 | Ollama: full | {"error":{"message":"server busy, please try again.  maximum pending requests exceeded","type":"api_error"}}
loading | 400 | LM Studio: loading | {"error":"Model is still loading, please wait"}
account | 400 | DashScope: arrears as 400 | {"error":{"message":"Access denied, please make sure your account is in good standing.","type":"Arrearage","code":"Arrearage"}}
content-refused | 400 | DashScope: moderation | {"error":{"message":"Output data may contain inappropriate content.","type":"data_inspection_failed","code":"data_inspection_failed"}}
content-refused | 400 | DashScope, its own protocol | {"code":"DataInspectionFailed","message":"Input data may contain inappropriate content.","request_id":"1"}
busy | 429 | DashScope: quota by time | {"error":{"message":"Allocated quota exceeded, please increase your quota limit.","type":"insufficient_quota","code":"insufficient_quota"}}
busy | 429 | DashScope: throttling | {"code":"Throttling.RateQuota","message":"Requests rate limit exceeded, please try again later."}
account | 403 | DashScope: free tier | {"error":{"message":"The free tier of the model has been exhausted.","code":"AllocationQuota.FreeTierOnly"}}
context-length | 400 | DashScope: context | {"code":"InvalidParameter","message":"Range of input length should be [1, 30720]"}
field | 400 | DashScope: field | {"error":{"message":"<400> InternalError.Algo.InvalidParameter: Range of max_tokens should be [1, 8192]","code":"invalid_parameter_error"}}
account | 403 | new-api: quota | {"error":{"message":"用户额度不足, 剩余额度: ＄0.00 (request id: 2025)","type":"new_api_error","code":"insufficient_user_quota"}}
content-refused | 500 | new-api: sensitive words as 500 | {"error":{"message":"user sensitive words detected: x (request id: 2025)","type":"new_api_error","code":"sensitive_words_detected"}}
busy | 503 | new-api: no channel | {"error":{"message":"当前分组 default 下对于模型 m 无可用渠道","type":"new_api_error","code":"model_not_found"}}
busy | 429 | one-api: saturated | {"error":{"message":"当前分组上游负载已饱和，请稍后再试","type":"upstream_error","code":"429"}}
account | 401 | one-api: token used up | {"error":{"message":"该令牌额度已用尽","type":"one_api_error"}}
account | 402 | DeepSeek: balance | {"error":{"message":"Insufficient Balance","type":"unknown_error","code":"invalid_request_error"}}
content-refused | 400 | DeepSeek: moderation | {"error":{"message":"Content Exists Risk","type":"invalid_request_error","code":"invalid_request_error"}}
access | 400 | DeepSeek: model | {"error":{"message":"Model Not Exist","type":"invalid_request_error","code":"invalid_request_error"}}
account | 429 | Zhipu: arrears | {"error":{"code":"1113","message":"您的账户已欠费，请充值后重试。"}}
content-refused | 400 | Zhipu: moderation | {"error":{"code":"1301","message":"系统检测到输入或生成内容可能包含不安全或敏感内容，请您避免输入易产生敏感内容的提示语，感谢您的配合。"},"contentFilter":[{"level":1,"role":"user"}]}
busy | 429 | Zhipu: concurrency | {"error":{"code":"1302","message":"您当前使用该API的并发数过高，请降低并发，或联系客服增加限额。"}}
context-length | 400 | Zhipu: context | {"error":{"code":"1261","message":"Prompt 超长"}}
account | 429 | Moonshot: suspended | {"error":{"message":"Your account org-1 is suspended, please check your plan and billing details","type":"exceeded_current_quota_error"}}
content-refused | 400 | Moonshot: moderation | {"error":{"message":"The request was rejected because it was considered high risk","type":"content_filter"}}
busy | 429 | Moonshot: engine | {"error":{"message":"The engine is currently overloaded, please try again later","type":"engine_overloaded_error"}}
context-length | 400 | Moonshot: context | {"error":{"message":"Invalid request: Your request exceeded model token limit: 8192 (requested: 9000)","type":"invalid_request_error"}}
account | 403 | SiliconFlow: balance | {"code":30001,"message":"Sorry, your account balance is insufficient","data":null}
context-length | 400 | SiliconFlow: context | {"code":20015,"message":"length of prompt_tokens (40000) must be less than max_seq_len (32768).","data":null}
busy | 429 | SiliconFlow: rate | {"message":"Request was rejected due to rate limiting. Details: TPM limit reached.","data":null}
busy | 400 | Qianfan: rate | {"error_code":18,"error_msg":"Open api qps request limit reached"}
context-length | 400 | Qianfan: context | {"error_code":336007,"error_msg":"the max input characters is 20000"}
account | 403 | Ark: overdue | {"error":{"message":"The request failed because your account has an overdue balance.","type":"Forbidden","code":"AccountOverdueError"}}
content-refused | 400 | Ark: moderation | {"error":{"message":"The request failed because the input text may contain sensitive information.","type":"BadRequest","code":"InputTextSensitiveContentDetected"}}
busy | 429 | Ark: rate | {"error":{"message":"Requests per minute (RPM) limit of your account has been exceeded.","type":"TooManyRequests","code":"RateLimitExceeded.EndpointRPMExceeded"}}
loading | 429 | Ark: loading | {"error":{"message":"The request failed because the model is currently loading.","type":"TooManyRequests","code":"ModelLoadingError"}}
account | 402 | OpenRouter: credits | {"error":{"code":402,"message":"This request requires more credits, or fewer max_tokens."}}
content-refused | 403 | OpenRouter: moderation | {"error":{"code":403,"message":"anthropic/claude requires moderation on OpenRouter. Your input was flagged for \\"violence\\"","metadata":{"reasons":["violence"]}}}
content-refused | 400 | OpenRouter: behind it | {"error":{"code":400,"message":"Provider returned error","metadata":{"raw":"{\\"error\\":{\\"message\\":\\"Content Exists Risk\\"}}","provider_name":"DeepSeek"}}}
context-length | 400 | LiteLLM: context | {"error":{"message":"litellm.ContextWindowExceededError: litellm.BadRequestError: This model's maximum context length is 4096 tokens","code":"400"}}
account | 400 | LiteLLM: budget | {"error":{"message":"Budget has been exceeded! Current cost: 10.1, Max budget: 10.0","type":"budget_exceeded","code":"400"}}
field | 400 | LiteLLM: field | {"error":{"message":"litellm.UnsupportedParamsError: openai does not support parameters: ['logprobs'], for model=x","code":"400"}}
field | 422 | FastAPI: field | {"detail":[{"type":"extra_forbidden","loc":["body","top_k"],"msg":"Extra inputs are not permitted","input":50}]}
busy | 429 | Gemini: a list | [{"error":{"code":429,"message":"Resource has been exhausted (e.g. check quota).","status":"RESOURCE_EXHAUSTED"}}]
content-refused | 451 | anything: legal | Unavailable For Legal Reasons
status | 502 | a proxy: a page | <html><head><title>502 Bad Gateway</title></head></html>
context-length | 413 | a proxy: too large | <html>413 Request Entity Too Large</html>
refused | 400 | anything: a refusal without a known word | {"error":{"message":"no"}}
content-refused | 403 | a router: risk control | {"error":{"message":"请求内容触发风控","code":"risk_control"}}
content-refused | 400 | Spark | {"error":{"message":"输入内容审核不通过，涉嫌违规，请重新调整输入内容","code":"10013"}}
content-refused | 400 | Hunyuan | {"error":{"message":"文本存在敏感词","code":"OperationDenied.TextIllegalDetected"}}
account | 400 | Hunyuan: resource pack | {"code":"FailedOperation.ResourcePackExhausted","message":"资源包余量已用尽，请购买资源包后再试"}
account | 403 | new-api: token quota | {"error":{"message":"token quota is not enough, token remain quota: ＄0.00, need quota: ＄0.01","type":"new_api_error"}}
account | 412 | Fireworks | {"error":{"message":"Account x is suspended, possibly due to reaching the monthly spending limit","code":"ACCOUNT_SUSPENDED"}}
busy | 429 | Gemini: a limit by time | {"error":{"message":"You exceeded your current quota, please check your plan and billing details. Please retry in 26.5s.","status":"RESOURCE_EXHAUSTED"}}
context-length | 400 | Gemini | {"error":{"message":"The input token count (40000) exceeds the maximum number of tokens allowed (32768).","code":400,"status":"INVALID_ARGUMENT"}}
context-length | 500 | TensorRT-LLM | {"error":{"message":"Prompt length (5012) exceeds maximum input length (4096)."}}
context-length | 400 | LM Studio | {"error":"Trying to keep the first 5012 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens"}
loading | 503 | anything: starting | Server is initializing
loading | 503 | anything: 模型 | {"error":{"message":"模型正在加载，请稍后再试"}}
field | 400 | Go servers | {"error":{"message":"json: unknown field \\"seed\\""}}
access | 404 | LM Studio: none | {"error":{"message":"No models loaded. Please load a model in the developer page"}}
refused | 400 | a chat template | {"error":{"message":"Conversation roles must alternate user/assistant/user/assistant/..."}}
busy | 529 | anything: a full server | 
`

const fields = ['model', 'messages', 'max_tokens', 'temperature', 'top_k', 'logprobs', 'top_logprobs', 'seed', 'stop']

const meaning = (error: ServerError | RequestRefusedError) =>
  String(error instanceof RequestRefusedError ? error.details.reason : error.details.kind)

for (const row of rows.trim().split('\n')) {
  const [means = '', status, server, ...rest] = row.split(' | ')
  const body = rest.join(' | ')
  t.test(`An error means what its codes and words say, whatever its status: ${server} → ${means}`, async (t) => {
    t.equal(meaning(failureOfStatus(Number(status), body, { endpoint: 'there', fields })), means)
    const within = body.startsWith('{') ? embeddedError(JSON.parse(body)) : null
    // Inside a 200 there is no status: codes and words alone must say the same.
    if (within === null || ['status', 'busy', 'refused', 'field'].includes(means)) return
    t.equal(meaning(failureOf(within, 200, { endpoint: 'there', fields })), means, 'inside a 200')
  })
}

t.test('A reply that also has a code, an empty error or a null one is a reply', async (t) => {
  const choices = [{ message: { content: '好' } }]
  for (const more of [
    { error: null },
    { error: {} },
    { error: '' },
    { code: 0 },
    { code: 200 },
    { base_resp: { status_code: 0, status_msg: '' } },
    { detail: null },
  ]) {
    t.equal(embeddedError({ choices, ...more }), null, JSON.stringify(more))
  }
  t.match(embeddedError({ choices, error: { code: 502, message: 'upstream' } }), { status: 502, words: 'upstream' })
  t.match(embeddedError({ base_resp: { status_code: 1008, status_msg: 'insufficient balance' } }), {
    codes: ['minimax1008'],
  })
})

t.test('The field that a server blames is named, an echo of the record is not one', async (t) => {
  const blamed = (message: string, param: string | null = null) =>
    failureOfStatus(400, JSON.stringify(openai(message, { param })), { endpoint: 'there', fields }).details.field
  t.equal(blamed('Requested top_logprobs of 20 must be at most 5'), 'top_logprobs')
  t.equal(blamed("Unknown parameter: 'seed'."), 'seed')
  t.equal(blamed('Invalid request', 'stop[0]'), 'stop')
  t.equal(blamed('unexpected text: please stop here and seed the garden'), undefined)
  t.equal(blamed('Invalid messages', 'messages'), undefined)
})

t.test('the status in an error inside a 200 is its code, so that the message of the run shows it', (t) => {
  const said = embeddedError({ error: { code: 502, message: 'Provider returned error: upstream GPU pool exhausted' } })
  if (said === null) throw new Error('an error is read')
  const failure = failureOf(said, 200, { endpoint: 'http://x/v1' })
  t.match(failure.details, { kind: 'status', status: 200, serverCode: '502' })
  const own = embeddedError({ error: { code: 'upstream_error', message: 'no', status: 502 } })
  t.ok(own !== null && failureOf(own, 200, { endpoint: 'x' }).details.serverCode === 'upstream_error')
  t.end()
})
