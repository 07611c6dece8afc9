import { expect, test } from 'vitest';
import { parseNetUnix } from '../../../../host-agent/tmux/listening-sockets.ts';

test('only listening stream sockets with a path count, and a path may hold spaces', () => {
  const text = [
    'Num       RefCount Protocol Flags    Type St Inode Path',
    '000000008354b7ce: 00000002 00000000 00010000 0001 01 19651 /tmp/tmux-0/a b',
    '000000008354b7cf: 00000003 00000000 00000000 0001 03 19652 /tmp/tmux-0/connected',
    '000000008354b7d0: 00000002 00000000 00000000 0001 01 19653 /tmp/tmux-0/bound',
    '000000008354b7d1: 00000002 00000000 00010000 0001 01 19654 @abstract',
    '000000008354b7d2: 00000002 00000000 00010000 0005 01 19655 /run/seqpacket',
    '000000008354b7d3: 00000002 00000000 00010000 0001 01 19656',
    '',
  ].join('\n');
  expect(parseNetUnix(text)).toEqual(new Map([['19651', '/tmp/tmux-0/a b']]));
});
