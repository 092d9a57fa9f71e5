/** What is used of undici, in a module of our own that is imported when the first request is sent: it is slow to load. */
export { Pool, request } from 'undici'
