/**
 * Draws itself as codex does: a composer that takes messages, work with a title that spins, and a request for approval.
 * Comes in: mood, name and heartbeat folder as arguments. It needs no account, calls nothing, and runs no command.
 */
import { BEAT_MS, beat } from './heartbeat.ts';

const [mood = 'composer', name = '', folder = ''] = process.argv.slice(2);
const WORK_MS = 4_000;
const FRAME_MS = 500;
const KEPT_LINES = 12;
const SPINNER = '⠋⠙⠹⠸⠼⠴⠦⠧';
const KEYS = /\x1b\[200~([\s\S]*?)\x1b\[201~|\x1b(?:\[|O)([A-D])|[\s\S]/gu;
const [BOLD, DIM, PLAIN] = ['\x1b[1m', '\x1b[2m', '\x1b[0m'];
const CHOICES = ['Yes, proceed (y)', 'No, and tell Codex what to do differently (esc)'];

const said: string[] = [`A scripted agent. "run COMMAND" makes it ask for approval; nothing is ever run.`, ''];
let composed = '';
let asked: string | null = mood === 'asks' ? 'npm publish --dry-run' : null;
let selected = 0;
let working: { text: string; sinceMs: number } | null = null;
let frame = 0;

const say = (...lines: string[]): void => {
  said.push(...lines, '');
  said.splice(0, Math.max(0, said.length - KEPT_LINES));
};

const menu = (command: string): string[] => [
  `  ${BOLD}Would you like to run the following command?${PLAIN}`,
  '',
  '  Reason: It is how this agent shows that it needs you.',
  '',
  `  $ ${command}`,
  '',
  ...CHOICES.map((choice, index) => `${index === selected ? '›' : ' '} ${index + 1}. ${choice}`),
  '',
  `  ${DIM}Press enter to confirm or esc to cancel${PLAIN}`,
];

const composer = (): string[] => {
  const seconds = working === null ? 0 : Math.floor((Date.now() - working.sinceMs) / 1000);
  const text = composed === '' ? `${DIM}Ask Codex to do anything${PLAIN}` : composed.replaceAll('\n', '\r\n  ');
  return [
    ...(working === null ? [] : [`• Working (${seconds}s • esc to interrupt)`, '']),
    `${BOLD}›${PLAIN} ${text}`,
    '',
    `  ${DIM}scripted · ${name}${PLAIN}`,
  ];
};

const draw = (): void => {
  const spinning = working === null ? '' : `${SPINNER[frame % SPINNER.length]} `;
  const title = asked === null ? spinning + name : `[ ! ] Action Required | ${name}`;
  const lines = [`  ${BOLD}>_ OpenAI Codex${PLAIN} (a scripted one)`, '', ...said];
  lines.push(...(asked === null ? composer() : menu(asked)));
  process.stdout.write(`\x1b]2;${title}\x1b\\\x1b[H\x1b[2J${lines.join('\r\n')}`);
};

const submit = (): void => {
  const text = composed.trim();
  composed = '';
  if (text === 'exit') leave();
  if (text === '') return;
  say(`${BOLD}${DIM}› ${PLAIN}${text.split('\n')[0]}`);
  working = { text, sinceMs: Date.now() };
};

const choose = (index: number): void => {
  if (asked === null || CHOICES[index] === undefined) return;
  say(`• ${index === 0 ? 'Approved' : 'Refused'}: ${asked}`);
  asked = null;
  selected = 0;
};

const finish = (text: string): void => {
  working = null;
  // A message from another agent begins with who it is from.
  const command = /^(?:\[[^\]]*\] )?run (.+)/.exec(text)?.[1];
  if (command === undefined) say(`• ${text.length} characters understood`);
  else asked = command.slice(0, 60);
};

const press = (key: string, arrow?: string): void => {
  if (key === '\x03') leave();
  if (asked !== null) {
    if (arrow === 'A' || arrow === 'B') selected = arrow === 'A' ? 0 : CHOICES.length - 1;
    else if (key === '\r') choose(selected);
    else if (key === '\x1b') choose(CHOICES.length - 1);
    else if (key === 'y') choose(0);
    else choose(Number(key) - 1);
  } else if (key === '\r') submit();
  else if (key === '\x15') composed = '';
  else if (key === '\x7f') composed = [...composed].slice(0, -1).join('');
  else if (key >= ' ' && arrow === undefined) composed += key;
};

const leave = (): never => {
  process.stdout.write('\x1b[?2004l\x1b[?1049l');
  process.exit(0);
};

const beatNow = (): void => beat(folder, name, working === null ? 'ok' : 'busy');

process.stdin.setRawMode(true).setEncoding('utf8');
process.stdin.on('data', (data) => {
  for (const [key, pasted, arrow] of String(data).matchAll(KEYS)) {
    if (pasted === undefined) press(key, arrow);
    else if (asked === null) composed += pasted.replaceAll('\r', '\n');
  }
  draw();
});
process.stdout.on('resize', draw);
process.stdout.write('\x1b[?1049h\x1b[?2004h');
draw();
beatNow();
setInterval(beatNow, BEAT_MS);
setInterval(() => {
  if (working === null) return;
  frame += 1;
  if (Date.now() - working.sinceMs >= WORK_MS) finish(working.text);
  draw();
}, FRAME_MS);
