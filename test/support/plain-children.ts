/**
 * Children of a test without tap's import hooks: under tap, each node process and each of its threads would send every
 * module that it loads through a thread of its own, for a coverage that is switched off (.taprc). A command costs twice
 * as much processor time with them.
 */
import processOnSpawn from 'process-on-spawn'

processOnSpawn.removeAllListeners()
