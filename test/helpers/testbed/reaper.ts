/**
 * The process that outlives a test: its stdin closes when the test process ends, in whatever way, and then it removes
 * the run that it was started for. A normal stop takes the same path.
 */
import { sweepRun } from './sweep.ts';

const runId = process.argv[2];
if (runId === undefined) throw new Error('usage: reaper RUN_ID');

process.stdin.resume();
process.stdin.on('end', () => {
  sweepRun(runId).then(
    () => process.exit(0),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      process.exit(1);
    },
  );
});
