/** Stand-in servers, for the first run without a GPU, for tests and for benches. */
export * from './cutting-proxy.js'
export { Engine, type EngineOptions, type EngineRequest, type EngineResult, type Ticket } from './engine.js'
export { type FaultKind, type FaultRuleOptions, faultKinds, faultRule } from './fault-rules.js'
export { blockHashes, blockTokens, namedHashes } from './kv-blocks.js'
export { type PresetName, presetNames, type SimulatorOptions, simulatorOptions } from './options.js'
export { closedForm, type EnginePreset, enginePresets, type Load } from './presets.js'
export { type Simulator, type SimulatorStats, startSimulator } from './server.js'
