import t from 'tap'
import { parseServerMetrics } from '../../../lib/llm/protocol/server-metrics.js'

const servers: Readonly<Record<string, string>> = {
  'vLLM, two ranks': `vllm:num_requests_running{engine="0",model_name="a}b"} 3.0
vllm:num_requests_running{engine="1",model_name="a}b"} 4.0
vllm:num_requests_waiting{engine="0"} 2.0
vllm:kv_cache_usage_perc{engine="0"} 0.25
vllm:kv_cache_usage_perc{engine="1"} 0.5
vllm:num_preemptions_total{engine="0"} 6.0
vllm:generation_tokens_total{engine="0"} 90.0
vllm:prompt_tokens_total{engine="0"} 40.0`,
  'vLLM under Ray': `ray_vllm_num_requests_running{WorkerId="a"} 7.0
ray_vllm_num_requests_waiting{WorkerId="a"} 2.0
ray_vllm_kv_cache_usage_perc{WorkerId="a"} 0.5
ray_vllm_num_preemptions_total{WorkerId="a"} 6.0
ray_vllm_generation_tokens_total{WorkerId="a"} 90
ray_vllm_prompt_tokens_total{WorkerId="a"} 40`,
  SGLang: `sglang:num_running_reqs{model_name="m"} 7.0
sglang:num_queue_reqs{model_name="m"} 2.0
sglang:token_usage{model_name="m"} 0.5
sglang:num_retracted_reqs{model_name="m"} 6.0
sglang:generation_tokens_total{model_name="m"} 90.0
sglang:prompt_tokens_total{model_name="m"} 40.0`,
  'llama.cpp': `# HELP llamacpp:requests_processing Number of requests processing.
# TYPE llamacpp:requests_processing gauge
llamacpp:requests_processing 7
llamacpp:requests_deferred 2
llamacpp:kv_cache_usage_ratio 0.5
llamacpp:tokens_predicted_total 90
llamacpp:prompt_tokens_total 40`,
  TGI: `tgi_batch_current_size 7
tgi_queue_size 2 1700000000000
tgi_request_generated_tokens_sum 90
tgi_request_input_length_sum 40`,
}

t.test('The load of a server is read by the metric names of each server', async (t) => {
  for (const [name, text] of Object.entries(servers)) {
    const figures = parseServerMetrics(text.replaceAll('\n', '\r\n'), 9)
    t.match(figures, { atMs: 9, running: 7, waiting: 2, generationTokens: 90, promptTokens: 40 }, name)
    if (name !== 'TGI') t.equal(figures?.kvUsage, 0.5, name)
    if (/vLLM|SGLang/.test(name)) t.equal(figures?.preemptions, 6, `${name}: retractions are preemptions`)
  }
})

t.test('Values that are not numbers, and lines that are not metrics, are ignored', async (t) => {
  const junk = [
    'vllm:constructor 5',
    'vllm:__proto__ 5',
    'vllm:num_requests_running',
    'vllm:num_requests_waiting{} NaN',
    '<html>',
  ]
  t.equal(parseServerMetrics(junk.join('\n'), 0), null)
  t.match(parseServerMetrics(`${junk.join('\n')}\n${servers.SGLang}`, 0), { running: 7, waiting: 2 })
})
