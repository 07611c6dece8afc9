import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { joiningRules } from '../../../../src/screen/text-columns.ts';
import { textColumns } from '../../../helpers/text-columns.ts';
import { PrivateTmux } from '../../../helpers/tmux-server.ts';
import { until } from '../../../helpers/until.ts';

const HARD = [
  'plain',
  '日本語',
  'ｆｕｌｌ',
  'ﾊﾝｶｸ',
  'e\u0301\u0327a\u0308',
  '👍',
  '👨\u200d👩\u200d👧',
  '❤\ufe0f',
  '☺\ufe0f!',
  '한국어',
  '\u1112\u1161\u11ab',
  'ไทยไม่มี',
  'नमस्ते',
  'עִבְרִית',
  'عَرَبِيّ',
  '✓✗★☆●○',
  '─│┌┐█▓⣿⠋',
  '←→↑↓⇒',
  '①②㈱㍿',
  '“”‘’…—',
  'zero\u200bwidth\u200d',
  'soft\u00adhyphen',
  '\u2066bidi\u2069',
  '⌚⏰⚡⛔✨❌➕⭐',
  '🀄🃏🌀🚀🧪',
  '\ue0b0\uf115',
  '⚠ warn',
];

test('the columns of hard characters are those by which tmux moves its cursor', async () => {
  const tmux = new PrivateTmux();
  try {
    const file = join(tmux.tmpdir, 'hard');
    writeFileSync(file, `${HARD.join('\n')}\n`);
    const order = `while IFS= read -r line; do printf '%s' "$line"; read go; printf '\\n'; done < ${file}`;
    tmux.session(
      'a',
      'one',
      `stty -echo; exec 3< ${file}; ${order.replace('read -r line', 'read -r line <&3').replace(` < ${file}`, '')}`,
    );
    const at = () =>
      tmux.run('a', 'display-message', '-p', '-t', 'one:', '#{cursor_y} #{cursor_x} #{version}').split(' ');
    for (const [y, text] of HARD.entries()) {
      const expected = await until(() => (at()[0] === String(Math.min(y, 29)) && at()[1] !== '0' ? at() : null), {
        timeoutMs: 10_000,
      });
      expect([text, textColumns(text, joiningRules(expected[2] as string))]).toEqual([text, Number(expected[1])]);
      tmux.run('a', 'send-keys', '-t', 'one:', 'Enter');
    }
  } finally {
    tmux.close();
  }
});
