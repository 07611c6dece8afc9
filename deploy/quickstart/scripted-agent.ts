/**
 * A program in a pane that behaves like an agent: draws, answers typed lines, and beats.
 * Comes in: mood, name and heartbeat folder as arguments. It needs no account and calls nothing.
 */
import { createInterface } from 'node:readline';
import { BEAT_MS, beat } from './heartbeat.ts';

const [mood = 'quiet', name = '', folder = ''] = process.argv.slice(2);
const LOST_SECONDS = 180;

const beatNow = (): void => {
  if (mood === 'holder') return;
  beat(folder, name, mood === 'busy' ? 'busy' : 'ok', mood === 'lost-beat' ? LOST_SECONDS : 0);
};

process.stdout.write(`${name || 'agent'}: a scripted agent. Type a line and it answers; "exit" ends it.\n\n> `);
beatNow();
if (mood !== 'lost-beat') setInterval(beatNow, BEAT_MS);

let turn = 0;
if (mood === 'busy') {
  setInterval(() => {
    turn += 1;
    process.stdout.write(`\r\x1b[K* reading file ${turn}\n> `);
  }, 3_000);
}

createInterface({ input: process.stdin }).on('line', (line) => {
  if (line.trim() === 'exit') process.exit(0);
  process.stdout.write(`${name || 'agent'}: ${line.length} characters understood\n> `);
});
