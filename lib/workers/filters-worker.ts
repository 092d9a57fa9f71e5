/**
 * Entry point of a thread that prepares blocks with custom filters, which may import the library: in the bundle it shares its
 * modules with it, which worker.ts does not.
 */
export { default } from './worker.js'
