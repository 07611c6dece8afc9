/**
 * A program in a pane that behaves like an agent: draws, answers typed lines, and writes Mosaic heartbeats (v1).
 * Comes in: mood, name and heartbeat folder as arguments. It needs no account and calls nothing.
 */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const [mood = 'quiet', name = '', folder = ''] = process.argv.slice(2);
const BEAT_MS = 5_000;
const LOST_SECONDS = 180;

const beat = (): void => {
  if (folder === '' || mood === 'holder') return;
  const nowSeconds = Math.floor(Date.now() / 1000);
  const ts = mood === 'lost-beat' ? nowSeconds - LOST_SECONDS : nowSeconds;
  const status = mood === 'busy' ? 'busy' : 'ok';
  const file = join(folder, `${name}.hb`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.tmp`, `ts=${ts}\npid=${process.pid}\nstatus=${status}\n`);
  renameSync(`${file}.tmp`, file);
};

process.stdout.write(`${name || 'agent'}: a scripted agent. Type a line and it answers; "exit" ends it.\n\n> `);
beat();
if (mood !== 'lost-beat') setInterval(beat, BEAT_MS);

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
