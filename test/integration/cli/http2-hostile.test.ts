/** Peers that speak HTTP/2 wrongly, over a real socket: each is an error with a reason, at once. */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Http2Connection } from '../../../src/cli/client/http2/connection.ts';
import { frameOf, uint32 } from '../../../src/cli/client/http2/frame.ts';
import { encodeHeaders } from '../../../src/cli/client/http2/hpack.ts';
import { FLAG, FRAME } from '../../../src/cli/client/http2/protocol.ts';
import { TransportError } from '../../../src/cli/client/transport.ts';

const FIELDS = [
  [':method', 'POST'],
  [':path', '/x'],
] as const;
const NOTHING = Buffer.alloc(0);

let folder: string;
let server: Server;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fleet-h2-'));
});

afterEach(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

const listen = async (act: (peer: Socket) => void): Promise<string> => {
  const path = join(folder, 's');
  server = createServer((peer) => {
    peer.on('error', () => {});
    act(peer);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return path;
};

/** The body of one call, or the error it ends with. */
const ask = async (path: string): Promise<string> => {
  using connection = new Http2Connection(connect(path)).start();
  let body = '';
  for await (const chunk of connection.call(FIELDS, Buffer.from('q')).chunks()) body += Buffer.from(chunk).toString();
  return body;
};

const settings = frameOf(FRAME.settings, 0, 0, NOTHING);
const status = encodeHeaders([[':status', '200']]);
const headers = (flags: number, block: Uint8Array = status, id = 1): Buffer => frameOf(FRAME.headers, flags, id, block);
const answered = headers(FLAG.endHeaders);
const data = (bytes: number | Uint8Array, flags = 0, id = 1): Buffer =>
  frameOf(FRAME.data, flags, id, typeof bytes === 'number' ? Buffer.alloc(bytes) : bytes);

test('said rightly, in several ways at once, it is an answer', async () => {
  const block = encodeHeaders([
    [':status', '200'],
    ['x', 'y'.repeat(100)],
  ]);
  const padded = Buffer.concat([Buffer.of(3), Buffer.alloc(5), block.subarray(0, 9), Buffer.alloc(3)]);
  const path = await listen((peer) =>
    peer.write(
      Buffer.concat([
        settings,
        frameOf(FRAME.settings, FLAG.ack, 0, NOTHING),
        frameOf(0x63, 0xff, 77, Buffer.from('of an extension')),
        headers(FLAG.padded | FLAG.priority, padded),
        frameOf(FRAME.continuation, 0, 1, NOTHING),
        frameOf(FRAME.continuation, FLAG.endHeaders, 1, block.subarray(9)),
        data(0),
        data(Buffer.from('\x02one\0\0', 'latin1'), FLAG.padded),
        frameOf(FRAME.priority, 0, 1, Buffer.alloc(5)),
        data(Buffer.from('two'), FLAG.endStream),
        data(Buffer.from('late')),
      ]),
    ),
  );
  expect(await ask(path)).toBe('onetwo');
});

describe('refused with a reason', () => {
  test.each<[name: string, bytes: Buffer, words: RegExp]>([
    ['another protocol', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), /frame of \d+ bytes/],
    ['no SETTINGS', frameOf(FRAME.ping, 0, 0, Buffer.alloc(8)), /begins without SETTINGS/],
    ['SETTINGS that only confirm', frameOf(FRAME.settings, FLAG.ack, 0, NOTHING), /confirm nothing/],
    ['half a setting', frameOf(FRAME.settings, 0, 0, Buffer.alloc(5)), /broken length/],
    ['a window beyond 2^31', frameOf(FRAME.settings, 0, 0, Buffer.from('000480000000', 'hex')), /window of 2147483648/],
    ['tiny frames', frameOf(FRAME.settings, 0, 0, Buffer.from('000500000001', 'hex')), /frames of 1 bytes/],
    ['a short ping', Buffer.concat([settings, frameOf(FRAME.ping, 0, 0, Buffer.alloc(7))]), /PING of another length/],
    ['a push', Buffer.concat([settings, frameOf(FRAME.pushPromise, 0, 1, Buffer.alloc(4))]), /push/],
    ['a stream of its own', Buffer.concat([settings, data(1, 0, 2)]), /stream 2, which was never opened/],
    ['a stream to come', Buffer.concat([settings, data(1, 0, 3)]), /stream 3/],
    ['data of no stream', Buffer.concat([settings, data(1, 0, 0)]), /stream 0/],
    ['data before headers', Buffer.concat([settings, data(1)]), /data came before headers/],
    [
      'headers twice',
      Buffer.concat([settings, answered, headers(FLAG.endHeaders, encodeHeaders([['a', 'b']]))]),
      /headers came twice/,
    ],
    ['no status', Buffer.concat([settings, headers(FLAG.endHeaders, encodeHeaders([['a', 'b']]))]), /without a status/],
    [
      'an upper-case name',
      Buffer.concat([settings, headers(FLAG.endHeaders, encodeHeaders([['A', 'b']]))]),
      /malformed header/,
    ],
    ['interrupted headers', Buffer.concat([settings, headers(0), settings]), /interrupted/],
    [
      'headers continued elsewhere',
      Buffer.concat([settings, headers(0), frameOf(FRAME.continuation, FLAG.endHeaders, 3, status)]),
      /stream 3/,
    ],
    [
      'a continuation of nothing',
      Buffer.concat([settings, frameOf(FRAME.continuation, 4, 1, status)]),
      /CONTINUATION of nothing/,
    ],
    [
      'headers without end',
      Buffer.concat([settings, headers(0), ...Array(2_000).fill(frameOf(FRAME.continuation, 0, 1, NOTHING))]),
      /headers of more than/,
    ],
    ['a broken block', Buffer.concat([settings, headers(FLAG.endHeaders, Buffer.of(0xff))]), /header block with/],
    ['padding beyond its frame', Buffer.concat([settings, answered, data(Buffer.of(9, 1), FLAG.padded)]), /padding/],
    [
      'a window update by nothing',
      Buffer.concat([settings, frameOf(FRAME.windowUpdate, 0, 0, uint32(0))]),
      /by nothing/,
    ],
    [
      'a window that overflows',
      Buffer.concat([settings, frameOf(FRAME.windowUpdate, 0, 1, uint32(0x7fff_ffff))]),
      /overflows/,
    ],
    ['a frame that is too long', Buffer.concat([settings, answered, data(65_537)]), /frame of 65537 bytes/],
    [
      'more data than was allowed',
      Buffer.concat([settings, answered, ...Array(17).fill(data(65_536))]),
      /more data than was allowed/,
    ],
    [
      'going away before it looked',
      Buffer.concat([settings, frameOf(FRAME.goAway, 0, 0, Buffer.concat([uint32(0), uint32(11)]))]),
      /goes away: ENHANCE_YOUR_CALM/,
    ],
    ['a reset', Buffer.concat([settings, frameOf(FRAME.reset, 0, 1, uint32(2))]), /INTERNAL_ERROR/],
  ])('%s', async (_, bytes, words) => {
    const path = await listen((peer) => peer.write(bytes));
    // Not read yet: so the window is what stands, not the reader's speed.
    using connection = new Http2Connection(connect(path)).start();
    const call = connection.call(FIELDS, Buffer.from('q'));
    await new Promise((resolve) => setImmediate(resolve));
    const reading = (async () => {
      for await (const _chunk of call.chunks()) await new Promise((resolve) => setTimeout(resolve, 50));
    })();
    await expect(reading).rejects.toThrow(words);
    await expect(reading).rejects.toBeInstanceOf(TransportError);
  });

  test('a peer that asks without end and never reads the answers', async () => {
    const ping = Buffer.concat(Array(2_000).fill(frameOf(FRAME.ping, 0, 0, Buffer.alloc(8))));
    const path = await listen((peer) => {
      peer.pause();
      peer.write(settings);
      const more = (): void => {
        while (!peer.destroyed && peer.write(ping));
      };
      peer.on('drain', more);
      more();
    });
    await expect(ask(path)).rejects.toThrow('does not read the answers');
  });
});

test('random and mangled bytes end every call, and break nothing else', async () => {
  let seed = 7;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  const whole = Buffer.concat([
    settings,
    answered,
    data(300),
    frameOf(FRAME.ping, 0, 0, Buffer.alloc(8)),
    data(5, FLAG.endStream),
  ]);
  const bytesOf = (round: number): Buffer => {
    if (round % 3 === 0)
      return Buffer.concat([settings, Buffer.from(Array.from({ length: random(400) }, () => random(256)))]);
    if (round % 3 === 1) {
      const frames = Array.from({ length: random(12) }, () =>
        frameOf(random(11), random(256), random(4), Buffer.from(Array.from({ length: random(20) }, () => random(256)))),
      );
      return Buffer.concat([settings, ...frames]);
    }
    const mangled = Buffer.from(whole);
    for (let n = random(4); n >= 0; n -= 1) mangled[random(mangled.length)] = random(256);
    return mangled;
  };
  let round = 0;
  const path = await listen((peer) => {
    const bytes = bytesOf(round);
    const cut = random(bytes.length);
    peer.write(bytes.subarray(0, cut));
    setImmediate(() => peer.end(bytes.subarray(cut)));
  });
  const ends = { answered: 0, broken: 0 };
  for (; round < 1_500; round += 1) {
    try {
      await ask(path);
      ends.answered += 1;
    } catch (error) {
      expect(error).toBeInstanceOf(TransportError);
      ends.broken += 1;
    }
  }
  expect(ends.answered).toBeGreaterThan(20);
  expect(ends.broken).toBeGreaterThan(500);
});
