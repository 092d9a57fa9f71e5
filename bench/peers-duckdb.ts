/** Runs SQL in DuckDB, in a process of its own: `node dist/bench/peers-duckdb.js SQL`. Its package is not one of a user's. */
import { DuckDBInstance } from '@duckdb/node-api'

const connection = await (await DuckDBInstance.create(':memory:')).connect()
await connection.run(process.argv[2] ?? '')
connection.closeSync()
