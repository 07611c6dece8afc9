/**
 * `npm run bench [-- NAME…]`: the figures of DESIGN section 8, one JSON line each on stdout, prose on stderr. No test: it
 * ends with 0 when every figure asked for was taken, whatever its value.
 */

import { figures } from './figures.ts';
import { Bench } from './harness/bench.ts';
import { type Figure, notMeasured } from './harness/figure.ts';
import { buildShipped } from './harness/shipped.ts';

const chosen = (names: readonly string[]): readonly Figure[] => {
  const unknown = names.filter((name) => !figures.some((each) => each.name === name));
  if (unknown.length === 0 && !names.includes('--help')) {
    return names.length === 0 ? figures : figures.filter((each) => names.includes(each.name));
  }
  const list = figures.map((each) => `  ${each.name.padEnd(18)} ${each.about}`).join('\n');
  process.stderr.write(`usage: npm run bench [-- NAME…]\n${list}\n`);
  process.exit(unknown.every((name) => name === '--help') ? 0 : 2);
};

const run = async (wanted: readonly Figure[]): Promise<boolean> => {
  process.stderr.write('building what ships\n');
  await buildShipped();
  using bench = Bench.begin();
  let place: AsyncDisposable | null = null;
  let placedBy: Figure['place'] | null = null;
  let complete = true;
  let leaving: Promise<void> = Promise.resolve();
  const leave = (): Promise<void> => {
    const left = place;
    place = null;
    placedBy = null;
    if (left) leaving = leaving.then(() => left[Symbol.asyncDispose]());
    return leaving;
  };
  interruption.signal.addEventListener('abort', () => void leave());
  try {
    for (const figure of wanted) {
      interruption.signal.throwIfAborted();
      bench.say(`\n${figure.name}: ${figure.about}`);
      try {
        if (placedBy !== figure.place) {
          await leave();
          place = await figure.place(bench);
          placedBy = figure.place;
        }
        for await (const line of figure.measure(place as AsyncDisposable, bench)) {
          process.stdout.write(`${JSON.stringify(line)}\n`);
        }
      } catch (error) {
        interruption.signal.throwIfAborted();
        complete = false;
        process.stdout.write(`${JSON.stringify(notMeasured(figure.name, '', null, (error as Error).message))}\n`);
        bench.say(`${figure.name} failed: ${(error as Error).stack}`);
      }
    }
  } finally {
    await leave();
  }
  return complete;
};

const interruption = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(name, () => interruption.abort(new Error(name)));

const wanted = chosen(process.argv.slice(2));
try {
  process.exitCode = (await run(wanted)) ? 0 : 1;
} catch (error) {
  process.stderr.write(`bench: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
