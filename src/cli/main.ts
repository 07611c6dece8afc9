/** The `fleet` program: nothing but its start. The exit code is set, never forced, so that output is written out. */
import { runFleet } from './run-fleet.ts';

process.exitCode = await runFleet(process.argv.slice(2));
