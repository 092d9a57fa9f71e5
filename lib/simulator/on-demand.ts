/** Starts the simulated servers. Their code is loaded by the first call, not by importing the library. */

/** Starts a simulated vLLM server. */
export const startSimulator: typeof import('./vllm/server.js').startSimulator = async (options) => {
  const server = await import('./vllm/server.js')
  return server.startSimulator(options)
}

/** Starts a simulated Hugging Face Hub. */
export const startHub: typeof import('./hub/index.js').startHub = async (options) => {
  const hub = await import('./hub/index.js')
  return hub.startHub(options)
}
