import { mkdtempSync, rmSync } from 'node:fs';
import { constants, createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { connect, createServer as createProxy, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CALL_WINDOW_BYTES } from '../../../src/cli/client/http2/call.ts';
import { Http2Connection } from '../../../src/cli/client/http2/connection.ts';
import type { Call } from '../../../src/cli/client/transport.ts';
import { until } from '../../helpers/until.ts';

const SOON = { timeoutMs: 30_000 };
const OK = { ':status': 200 } as const;
const FIELDS = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/x'],
  [':authority', 'localhost'],
] as const;

let folder: string;
let path: string;
let peer: Http2Server;
let session: ServerHttp2Session | null;
let proxy: Server | null;
let connection: Http2Connection;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fleet-h2-'));
  path = join(folder, 's');
  session = null;
  proxy = null;
});

afterEach(() => {
  connection[Symbol.dispose]();
  session?.destroy();
  proxy?.close();
  peer.close();
  rmSync(folder, { recursive: true, force: true });
});

const serve = async (
  answer: (stream: ServerHttp2Stream) => void,
  options: Parameters<typeof createServer>[0] = {},
): Promise<void> => {
  peer = createServer(options);
  peer.on('stream', answer);
  peer.on('session', (opened) => {
    session = opened;
    opened.on('error', () => {});
  });
  await new Promise<void>((resolve) => peer.listen(path, resolve));
  connection = new Http2Connection(connect(path)).start();
};

const bodyOf = async (call: Call): Promise<Buffer> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of call.chunks()) chunks.push(chunk);
  return Buffer.concat(chunks);
};

const echo = (stream: ServerHttp2Stream): void => {
  stream.respond(OK);
  stream.pipe(stream);
};

test('every byte that a header may hold comes as it was said, in the peer’s own coding', async () => {
  const all = Array.from({ length: 0xff - 0x20 }, (_, n) => String.fromCharCode(0x20 + n)).filter((c) => c !== '\x7f');
  const values = [...all.map((character) => `a${character.repeat(3)}b`), `a${all.join('')}b`];
  await serve((stream) => {
    stream.respond({ ...OK, ...Object.fromEntries(values.map((value, n) => [`x-${n}`, value])) });
    stream.end();
  });
  const call = connection.call(FIELDS, Buffer.alloc(0));
  await bodyOf(call);
  expect(values.map((_, n) => call.headers?.[`x-${n}`])).toEqual(values);
});

test('trailers of many frames come whole', async () => {
  const large = 'a%20~'.repeat(8_000);
  await serve((stream) => {
    stream.respond(OK, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', large }));
    stream.end('body');
  });
  const call = connection.call(FIELDS, Buffer.from('q'));
  expect(String(await bodyOf(call))).toBe('body');
  expect(call.trailers?.large).toBe(large);
  expect(call.trailers?.['grpc-status']).toBe('0');
});

test('more than every window goes out and comes back the same, through padding and small windows', async () => {
  await serve(echo, {
    paddingStrategy: constants.PADDING_STRATEGY_MAX,
    settings: { initialWindowSize: 1_000 },
  });
  const body = Buffer.from(Array.from({ length: 3 * CALL_WINDOW_BYTES }, (_, n) => (n * 7_919) >> 5));
  expect((await bodyOf(connection.call(FIELDS, body))).equals(body)).toBe(true);
});

test('bytes that come one by one are the same answer, pings among them answered', async () => {
  let pings = 0;
  await serve((stream) => {
    stream.respond({ ...OK, 'x-long': 'y'.repeat(300) });
    stream.write('first');
    for (let n = 0; n < 5; n += 1) {
      session?.ping(Buffer.alloc(8, n), (error) => {
        if (!error) pings += 1;
        if (pings === 5) stream.end('last');
      });
    }
  });
  const slow = join(folder, 'slow');
  proxy = createProxy((client) => {
    const upstream = connect(path);
    upstream.setNoDelay();
    client.on('error', () => {}).pipe(upstream);
    upstream
      .on('error', () => {})
      .on('data', (chunk: Buffer) => {
        for (const byte of chunk) client.write(Buffer.of(byte));
      });
    upstream.on('close', () => client.destroy());
  });
  await new Promise<void>((resolve) => proxy?.listen(slow, resolve));
  connection[Symbol.dispose]();
  connection = new Http2Connection(connect(slow)).start();
  const call = connection.call(FIELDS, Buffer.from('q'));
  expect(String(await bodyOf(call))).toBe('firstlast');
  expect(call.headers?.['x-long']).toHaveLength(300);
});

test('a call that nobody reads holds up no other, and is whole when it is read at last', async () => {
  const size = 20 * CALL_WINDOW_BYTES;
  await serve(
    (stream) => {
      stream.respond(OK);
      if (stream.id === 1) stream.end(Buffer.alloc(size, 1));
      else stream.end('quick');
    },
    { maxSessionMemory: 100 },
  );
  const unread = connection.call(FIELDS, Buffer.from('q'));
  await until(() => unread.headers, SOON);
  for (let n = 0; n < 20; n += 1) expect(String(await bodyOf(connection.call(FIELDS, Buffer.from('q'))))).toBe('quick');
  expect((await bodyOf(unread)).length).toBe(size);
});

test('a peer that goes away finishes what it began; nothing more is begun', async () => {
  await serve((stream) => {
    stream.respond(OK);
    stream.write('begun ');
    session?.close();
    stream.end('and ended');
  });
  const call = connection.call(FIELDS, Buffer.from('q'));
  expect(String(await bodyOf(call))).toBe('begun and ended');
  await until(() => !connection.isOpen, SOON);
  await expect(bodyOf(connection.call(FIELDS, Buffer.from('q')))).rejects.toThrow('closed');
});

test('a reset ends its own call with the peer’s code', async () => {
  await serve((stream) => {
    if (stream.id !== 1) return echo(stream);
    stream.on('error', () => {});
    stream.close(constants.NGHTTP2_REFUSED_STREAM);
  });
  await expect(bodyOf(connection.call(FIELDS, Buffer.from('q')))).rejects.toMatchObject({ resetCode: 7 });
  expect(String(await bodyOf(connection.call(FIELDS, Buffer.from('again'))))).toBe('again');
});

test('stopping tells the peer, and drops what was not read', async () => {
  let code = 0;
  await serve((stream) => {
    stream.respond(OK);
    stream.write('x');
    stream.on('error', () => {});
    stream.on('close', () => {
      code = stream.rstCode;
    });
  });
  const call = connection.call(FIELDS, Buffer.from('q'));
  await until(() => call.headers, SOON);
  call.stop(new Error('enough'));
  await expect(bodyOf(call)).rejects.toThrow('enough');
  await until(() => code === constants.NGHTTP2_CANCEL, SOON);
});

test('an interim answer is none', async () => {
  await serve((stream) => {
    stream.additionalHeaders({ ':status': 103, link: 'x' });
    echo(stream);
  });
  const call = connection.call(FIELDS, Buffer.from('q'));
  expect(String(await bodyOf(call))).toBe('q');
  expect(call.headers).toMatchObject({ ':status': '200' });
});
