/** The `fleet` program. Nothing but the start: the compile cache must be on before anything else is loaded. */
import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

// Below the home folder: a cache in a shared folder could be written by somebody else.
enableCompileCache(join(homedir(), '.cache/fleet/compile'));
const { runFleet } = await import('./run-fleet.ts');
process.exitCode = await runFleet(process.argv.slice(2));
