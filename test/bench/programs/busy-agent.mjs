// A program that never rests: a spinner that turns and lines in colours that scroll, a hundred changes a second.
let turn = 0;
setInterval(() => {
  turn += 1;
  const words = Array.from({ length: 8 }, (_, each) => `\x1b[3${(turn + each) % 8}mword${(turn * 7 + each) % 1_000}\x1b[0m`);
  process.stdout.write(turn % 4 === 0 ? `${words.join(' ')}\r\n` : `\r\x1b[K${'-\\|/'[turn % 4]} step ${turn}`);
}, 10);
