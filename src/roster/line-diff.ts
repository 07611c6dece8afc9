/** How two texts differ, line by line: ` ` in both, `-` only in the old one, `+` only in the new one. For people. */

/** Lines around a change. */
const CONTEXT = 2;
/** Beyond this many pairs of lines what lies between the equal ends is shown as replaced. */
const MAX_PAIRS = 4_000_000;

type Line = { mark: ' ' | '-' | '+'; text: string };

/** Without what is equal and far from every change; empty where nothing differs. */
export const lineDiff = (before: string, after: string): string[] => {
  const [old, now] = [linesOf(before), linesOf(after)];
  let head = 0;
  while (head < old.length && head < now.length && old[head] === now[head]) head += 1;
  let tail = 0;
  const most = Math.min(old.length, now.length) - head;
  while (tail < most && old[old.length - 1 - tail] === now[now.length - 1 - tail]) tail += 1;
  const same = (lines: readonly string[]): Line[] => lines.map((text) => ({ mark: ' ', text }));
  return shownLines([
    ...same(old.slice(0, head)),
    ...differing(old.slice(head, old.length - tail), now.slice(head, now.length - tail)),
    ...same(old.slice(old.length - tail)),
  ]);
};

const linesOf = (text: string): string[] => (text === '' ? [] : text.replace(/\n$/, '').split('\n'));

/** By the longest common subsequence. */
const differing = (old: readonly string[], now: readonly string[]): Line[] => {
  const gone = (lines: readonly string[]): Line[] => lines.map((text) => ({ mark: '-', text }));
  const come = (lines: readonly string[]): Line[] => lines.map((text) => ({ mark: '+', text }));
  if (old.length * now.length > MAX_PAIRS) return [...gone(old), ...come(now)];
  const width = now.length + 1;
  const longest = new Uint32Array((old.length + 1) * width);
  for (let i = old.length - 1; i >= 0; i -= 1)
    for (let j = now.length - 1; j >= 0; j -= 1)
      longest[i * width + j] =
        old[i] === now[j]
          ? longest[(i + 1) * width + j + 1]! + 1
          : Math.max(longest[(i + 1) * width + j]!, longest[i * width + j + 1]!);
  const out: Line[] = [];
  let [i, j] = [0, 0];
  while (i < old.length && j < now.length) {
    if (old[i] === now[j]) {
      out.push({ mark: ' ', text: old[i]! });
      i += 1;
      j += 1;
    } else if (longest[(i + 1) * width + j]! >= longest[i * width + j + 1]!) out.push(...gone([old[i++]!]));
    else out.push(...come([now[j++]!]));
  }
  return [...out, ...gone(old.slice(i)), ...come(now.slice(j))];
};

const shownLines = (lines: readonly Line[]): string[] => {
  const near = new Uint8Array(lines.length);
  lines.forEach(({ mark }, at) => {
    if (mark !== ' ') near.fill(1, Math.max(0, at - CONTEXT), at + CONTEXT + 1);
  });
  const out: string[] = [];
  lines.forEach(({ mark, text }, at) => {
    if (near[at]) out.push(`${mark} ${text}`);
    else if (out.at(-1) !== '…') out.push('…');
  });
  return near.includes(1) ? out : [];
};
