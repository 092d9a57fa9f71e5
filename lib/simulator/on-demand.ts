/** Starts the stand-in servers. Their code is loaded by the first call, so that importing the library does not load it. */

/** Starts a stand-in for a vLLM server. */
export const startSimulator: typeof import('./vllm/server.js').startSimulator = async (options) => {
  const server = await import('./vllm/server.js')
  return server.startSimulator(options)
}

/** Starts a stand-in for the Hugging Face Hub. */
export const startHub: typeof import('./hub/simulated-hub.js').startHub = async (options) => {
  const hub = await import('./hub/simulated-hub.js')
  return hub.startHub(options)
}
