// Loaded into a daemon before it starts: tells its parent, when asked, how long the loop was held at a time.
// `cpuMs` is what the main thread itself worked between two turns; `wallMs` also holds what others took from it.
// Or how many bytes it holds once all garbage is collected: its heap, and buffers outside of it.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let watching = null;

const heldBytes = () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  for (let time = 0; time < 3; time++) collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

const turnsWatched = () => {
  let lastWallMs = performance.now();
  let lastCpu = process.threadCpuUsage();
  const longest = { cpuMs: 0, wallMs: 0, turns: 0 };
  const timer = setInterval(() => {
    const wallMs = performance.now();
    const cpu = process.threadCpuUsage(lastCpu);
    longest.wallMs = Math.max(longest.wallMs, wallMs - lastWallMs);
    longest.cpuMs = Math.max(longest.cpuMs, (cpu.user + cpu.system) / 1000);
    longest.turns += 1;
    lastWallMs = wallMs;
    lastCpu = process.threadCpuUsage();
  }, 1);
  return { longest, stop: () => clearInterval(timer) };
};

process.on('message', (ask) => {
  if (ask === 'watch') {
    watching?.stop();
    watching = turnsWatched();
    process.send('watching');
  } else if (ask === 'held') {
    process.send({ heldBytes: heldBytes() });
  } else if (ask === 'tell' && watching) {
    watching.stop();
    process.send(watching.longest);
    watching = null;
  }
});
process.channel?.unref();
