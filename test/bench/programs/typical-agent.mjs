// Twenty seconds of an agent at work, the same each time: an answer that streams in, a tool that prints, a spinner with
// its seconds, a list that is drawn anew, and rest. A composer and a status line stay at the bottom, as such programs draw.
// Begins at each line on stdin; the last word of its screen is then `done N`.
import { setTimeout as pause } from 'node:timers/promises';

const ROWS = process.stdout.rows ?? 40;
const COLUMNS = process.stdout.columns ?? 120;
const BODY = ROWS - 5;
const WORDS =
  'the change keeps each reader a cursor and nothing else so that a slow one never holds what others see and the test shows it'.split(' ');

let seed = 1;
const random = () => {
  seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
  return seed / 2_147_483_648;
};
const word = () => WORDS[Math.floor(random() * WORDS.length)];
const write = (text) => process.stdout.write(text);
const inBody = (text) => write(`\x1b7\x1b[1;${BODY}r\x1b8${text}\x1b7\x1b[r\x1b8`);
const atRow = (row, text) => write(`\x1b7\x1b[${row};1H\x1b[2K${text}\x1b8`);

const composer = () => {
  atRow(ROWS - 3, `\x1b[38;5;240m╭${'─'.repeat(COLUMNS - 2)}╮\x1b[0m`);
  atRow(ROWS - 2, `\x1b[38;5;240m│\x1b[0m > \x1b[2mask for a change\x1b[0m\x1b[${COLUMNS}G\x1b[38;5;240m│\x1b[0m`);
  atRow(ROWS - 1, `\x1b[38;5;240m╰${'─'.repeat(COLUMNS - 2)}╯\x1b[0m`);
};
const spinner = (at) => {
  const seconds = Math.floor(at / 10);
  atRow(ROWS - 4, `\x1b[38;5;208m${'✶✸✹✺'[at % 4]} Thinking… \x1b[0m\x1b[2m(${seconds}s · ↑ ${(at * 37) % 1_000} tokens · esc to interrupt)\x1b[0m`);
};

/** Words as a model sends them: some thirty a second, wrapped by the terminal's width. */
const streamAnswer = async (ms) => {
  let column = 0;
  for (let at = 0; at < ms / 33; at++) {
    const next = random() < 0.15 ? `\x1b[1m${word()}\x1b[0m ` : `${word()} `;
    if (column + 12 > COLUMNS) {
      inBody('\r\n');
      column = 0;
    }
    inBody(next);
    column += 8;
    if (at % 3 === 0) spinner(at);
    await pause(33);
  }
  inBody('\r\n');
};

const think = async (ms) => {
  for (let at = 0; at < ms / 100; at++) {
    spinner(at);
    await pause(100);
  }
};

/** Output of a tool: bursts of lines that scroll. */
const runTool = async (ms) => {
  inBody('\x1b[32m●\x1b[0m \x1b[1mBash\x1b[0m(npm test)\r\n');
  for (let at = 0; at < ms / 100; at++) {
    for (let line = 0; line < 2; line++) {
      inBody(` \x1b[32m✓\x1b[0m ${word()} ${word()} ${word()} ${word()} \x1b[2m(${Math.floor(random() * 90)} ms)\x1b[0m\r\n`);
    }
    await pause(100);
  }
};

const editFile = () => {
  inBody('\x1b[32m●\x1b[0m \x1b[1mUpdate\x1b[0m(src/screen/log.ts)\r\n');
  for (let line = 0; line < 12; line++) {
    const [sign, colour] = line % 3 === 0 ? ['-', '48;5;52'] : ['+', '48;5;22'];
    inBody(`   ${100 + line} \x1b[${colour}m${sign} const ${word()} = ${word()}(${word()}, ${word()});\x1b[0m\r\n`);
  }
};

const minute = async () => {
  seed = 1;
  write('\x1b[2J\x1b[H');
  composer();
  await think(3_000);
  await streamAnswer(5_000);
  await runTool(2_000);
  editFile();
  await think(3_000);
  await streamAnswer(3_000);
  atRow(ROWS - 4, '');
  await pause(4_000);
};

if (process.stdin.isTTY) process.stdin.setRawMode(true);
composer();
let rounds = 0;
for await (const _key of process.stdin) {
  await minute();
  rounds += 1;
  atRow(ROWS, `done ${rounds}`);
}
