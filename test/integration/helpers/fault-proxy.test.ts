import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FaultProxy } from '../../helpers/fault-proxy.ts';
import { until } from '../../helpers/until.ts';

/** What an end of a connection has seen. */
class End {
  readonly socket: Socket;
  received = '';
  ended = false;
  error: string | null = null;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => {
      this.received += chunk;
    });
    socket.on('end', () => {
      this.ended = true;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.error = error.code ?? error.message;
    });
  }

  get isOpen(): boolean {
    return !this.socket.destroyed && !this.ended;
  }
}

let server: Server;
let proxy: FaultProxy;
let served: End[];

beforeEach(async () => {
  served = [];
  server = createServer((socket) => served.push(new End(socket)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy = await FaultProxy.start({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
});

afterEach(async () => {
  await proxy.stop();
  for (const end of served) end.socket.destroy();
  server.close();
});

/** Both ends of a new connection through the proxy. */
const join = async (): Promise<{ client: End; target: End }> => {
  const before = served.length;
  const client = new End(connect(proxy.port, '127.0.0.1'));
  client.socket.write('hello');
  const target = await until(() => served[before], { timeoutMs: 30_000 });
  await until(() => target.received === 'hello', { timeoutMs: 30_000 });
  return { client, target };
};

const arrives = (end: End, text: string) => until(() => end.received.endsWith(text), { timeoutMs: 30_000 });

test('passes bytes and ends both ways', async () => {
  const { client, target } = await join();
  target.socket.write('welcome');
  await arrives(client, 'welcome');
  client.socket.end();
  await until(() => target.ended, { timeoutMs: 30_000 });
});

test('a delay holds bytes back for at least that long, and keeps their order', async () => {
  const { client, target } = await join();
  proxy.delay(300);
  const before = performance.now();
  for (const word of ['one ', 'two ', 'three']) client.socket.write(word);
  await arrives(target, 'helloone two three');
  expect(performance.now() - before).toBeGreaterThanOrEqual(295);
});

test('a delay makes nothing wait for the one before: bytes are under way together', async () => {
  const { client, target } = await join();
  proxy.delay(1_000);
  const before = performance.now();
  for (const digit of '01234567') {
    client.socket.write(digit);
    await delay(20);
  }
  await arrives(target, '01234567');
  expect(performance.now() - before).toBeLessThan(8_000);
});

test('a throttle lets no more through than it says', async () => {
  const { client, target } = await join();
  proxy.throttle(100_000);
  const before = performance.now();
  client.socket.write('x'.repeat(50_000));
  await until(() => target.received.length === 50_005, { timeoutMs: 30_000 });
  expect(performance.now() - before).toBeGreaterThanOrEqual(480);
});

test('a stalled direction holds its sender back and leaves the other alone; mended, nothing is missing', async () => {
  const { client, target } = await join();
  proxy.stall('toTarget');
  const mebibytes = 32;
  client.socket.write('y'.repeat(mebibytes * 1_048_576));
  target.socket.write('still here');
  await arrives(client, 'still here');
  expect(client.socket.writableLength).toBeGreaterThan(0);
  expect(target.received).toBe('hello');
  proxy.mend();
  await until(() => target.received.length === 5 + mebibytes * 1_048_576, { timeoutMs: 20_000 });
});

test('a half-open connection is silent at both ends, and neither is told', async () => {
  const { client, target } = await join();
  proxy.halfOpen();
  client.socket.write('lost');
  target.socket.end('lost too');
  await until(() => client.socket.writableLength === 0 && target.socket.writableFinished, { timeoutMs: 30_000 });
  expect(proxy.connections).toBe(1);
  expect([client.received, client.isOpen, client.error]).toEqual(['', true, null]);
  expect(target.received).toBe('hello');
  proxy.mend();
  await until(() => client.error === 'ECONNRESET', { timeoutMs: 30_000 });
});

test('a cut resets what stands and what comes, until it is mended', async () => {
  const { client, target } = await join();
  proxy.cut();
  await until(() => client.error === 'ECONNRESET' && target.error === 'ECONNRESET', { timeoutMs: 30_000 });
  const late = new End(connect(proxy.port, '127.0.0.1'));
  await until(() => late.error === 'ECONNRESET', { timeoutMs: 30_000 });
  proxy.mend();
  await join();
});

test('garbage lands amid the stream, in the direction it was sent', async () => {
  const { client, target } = await join();
  proxy.garbage(Buffer.from('\x16\x03junk'), 'toTarget');
  await arrives(target, 'junk');
  expect(client.received).toBe('');
});

test('a target that ends tells the client', async () => {
  const { client, target } = await join();
  target.socket.destroy();
  await until(() => !client.isOpen, { timeoutMs: 30_000 });
});
