import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Server, ServerCredentials, type ServerWritableStream, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Endpoint, GrpcChannel } from '../../../src/cli/client/grpc-channel.ts';
import { watchAgents, whoAmI } from '../../../src/cli/client/methods.ts';
import { makeAuthority } from '../../../src/identity/authority.ts';
import { clientTls } from '../../../src/identity/client-tls.ts';
import { keyToPem, makeKey } from '../../../src/identity/key.ts';
import { FleetServiceService } from '../../../src/wire/gen/fleet/v1/fleet.ts';
import type { WatchAgentsRequest, WatchAgentsResponse } from '../../../src/wire/gen/fleet/v1/view.ts';
import { until } from '../../helpers/until.ts';

type WatchCall = ServerWritableStream<WatchAgentsRequest, WatchAgentsResponse>;
type Unary = (call: { cancelled: boolean; on: (event: string, listener: () => void) => void }, reply: Reply) => void;
type Reply = (error: { code: number; details: string } | null, answer?: unknown) => void;

let folder: string;
let socket: string;
let server: Server | null = null;
/** Where the served methods are. */
let at: Endpoint['at'];
/** How messages name it. */
let address: string;
const { authority } = makeAuthority('home', Date.now());
const request: WatchAgentsRequest = { follow: false, resumeToken: '', localOnly: false, hostsOnly: false };
let transport: 'socket' | 'tls' = 'socket';
const identity = {
  caller: undefined,
  cell: 'home',
  host: 'h',
  user: 'u',
  version: '1',
  upstream: undefined,
  verbs: [],
  tenants: [],
  elsewhere: [],
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fleet-cli-'));
  socket = join(folder, 's');
  at = { path: socket };
  address = socket;
});

afterEach(() => {
  server?.forceShutdown();
  server = null;
  rmSync(folder, { recursive: true, force: true });
});

const serve = async (handlers: { watch?: (call: WatchCall) => void; who?: Unary }): Promise<void> => {
  const unanswered: Unary = (_, reply) => reply({ code: status.UNIMPLEMENTED, details: 'not here' });
  server = new Server();
  server.addService(FleetServiceService, {
    watchAgents: handlers.watch ?? ((call: WatchCall) => call.end()),
    whoAmI: handlers.who ?? unanswered,
    diagnose: unanswered,
  } as never);
  const port = await new Promise<number>((resolve, reject) => {
    const [where, credentials] =
      transport === 'tls' ? ['127.0.0.1:0', tlsOfServer()] : [`unix:${socket}`, ServerCredentials.createInsecure()];
    server?.bindAsync(where, credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  if (transport === 'socket') return;
  const trust = clientTls(
    { certificatePem: null, keyPem: null, trustBundlePem: authority.pem, cell: 'home' },
    Date.now,
  );
  const { secureContextOptions, checkServerIdentity } = trust;
  at = { host: '127.0.0.1', port, tls: { ...secureContextOptions, checkServerIdentity } };
  address = `127.0.0.1:${port}`;
};

const tlsOfServer = (): ServerCredentials => {
  const key = makeKey();
  const id = { cell: 'home', kind: 'controller', name: 'c' } as const;
  const cert = authority.issue(id, key, { nowMs: Date.now(), lifetimeMs: 3_600_000 });
  const pair = { cert_chain: Buffer.from(cert), private_key: Buffer.from(keyToPem(key)) };
  return ServerCredentials.createSsl(null, [pair], false);
};

const channelTo = (where: Endpoint['at']): GrpcChannel =>
  new GrpcChannel({ at: where, what: 'host-agent', mend: 'fleet up starts it' });

const bookmark = (resumeToken: string): WatchAgentsResponse => ({ bookmark: { resumeToken, upstream: undefined } });

const rowsOf = (bytes: number): WatchAgentsResponse => ({
  changes: {
    hostAgents: [],
    agents: [{ hostAgent: 'h/u', key: 'k', row: Buffer.alloc(bytes, 7) }],
    removedHostAgents: [],
    removedAgents: [],
  },
});

describe.each(['socket', 'tls'] as const)('over %s', (over) => {
  beforeEach(() => {
    transport = over;
  });

  test('a unary call brings the answer of a real gRPC server', async () => {
    await serve({ who: (_, reply) => reply(null, identity) });
    using channel = channelTo(at);
    const answer = await channel.unary(whoAmI, {}, { deadlineMs: 5_000 });
    expect(answer).toMatchObject({ cell: 'home', host: 'h', user: 'u' });
  });

  test('a refusal keeps its code and its words, in any language', async () => {
    await serve({ who: (_, reply) => reply({ code: status.PERMISSION_DENIED, details: 'nicht erlaubt: 50 % Ärger' }) });
    using channel = channelTo(at);
    await expect(channel.unary(whoAmI, {}, { deadlineMs: 5_000 })).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
      message: 'nicht erlaubt: 50 % Ärger',
    });
  });

  test('a stream arrives in order and whole, also when it is far larger than a window', async () => {
    const sizes = Array.from({ length: 24 }, (_, index) => 300_000 + index);
    await serve({
      watch: async (call) => {
        for (const size of sizes) {
          if (!call.write(rowsOf(size))) await new Promise((resolve) => call.once('drain', resolve));
        }
        call.end();
      },
    });
    using channel = channelTo(at);
    const seen: number[] = [];
    for await (const frame of channel.stream(watchAgents, request, { deadlineMs: 30_000 })) {
      seen.push(frame.changes?.agents[0]?.row.length ?? -1);
    }
    expect(seen).toEqual(sizes);
  });

  test('a reader that stops reading stops the writer', async () => {
    let written = 0;
    await serve({
      watch: async (call) => {
        while (written < 200 && !call.cancelled) {
          written += 1;
          if (!call.write(rowsOf(256 * 1024))) await new Promise((resolve) => call.once('drain', resolve));
        }
        call.end();
      },
    });
    using channel = channelTo(at);
    let read = 0;
    for await (const _ of channel.stream(watchAgents, request)) {
      read += 1;
      if (read > 1) continue;
      await until(() => written > 2, { timeoutMs: 30_000 });
      await settled(() => written);
      // 50 MB are on offer; windows, socket buffers and grpc-js's own queue hold a small part of them.
      expect(written).toBeLessThan(60);
    }
    expect(read).toBe(200);
  });

  test('leaving the loop cancels the call at the server', async () => {
    let cancelled = false;
    await serve({
      watch: (call) => {
        call.on('cancelled', () => {
          cancelled = true;
        });
        call.write(bookmark('1'));
      },
    });
    using channel = channelTo(at);
    for await (const frame of channel.stream(watchAgents, request)) {
      expect(frame.bookmark?.resumeToken).toBe('1');
      break;
    }
    await until(() => cancelled, { timeoutMs: 30_000 });
  });

  test('a deadline ends a call that nobody answers, here and at the server', async () => {
    let cancelled = false;
    await serve({
      who: (call) =>
        call.on('cancelled', () => {
          cancelled = true;
        }),
    });
    using channel = channelTo(at);
    await expect(channel.unary(whoAmI, {}, { deadlineMs: 100 })).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    await until(() => cancelled, { timeoutMs: 30_000 });
  });

  test('an abort ends a stream at once', async () => {
    await serve({ watch: (call) => void call.write(bookmark('1')) });
    using channel = channelTo(at);
    const stop = new AbortController();
    const reading = (async () => {
      for await (const _ of channel.stream(watchAgents, request, { signal: stop.signal })) stop.abort();
    })();
    await expect(reading).rejects.toMatchObject({ code: 'CANCELLED' });
    await expect(channel.unary(whoAmI, {}, { deadlineMs: 1_000, signal: stop.signal })).rejects.toMatchObject({
      code: 'CANCELLED',
    });
  });

  test('a server that dies in mid-stream is an error, never an end', async () => {
    await serve({ watch: (call) => void call.write(bookmark('1')) });
    using channel = channelTo(at);
    const reading = (async () => {
      for await (const _ of channel.stream(watchAgents, request)) server?.forceShutdown();
    })();
    await expect(reading).rejects.toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining(address) });
  });

  test('a message over the limit is refused before it is held', async () => {
    await serve({ watch: (call) => void call.write(rowsOf(100_000)) });
    using channel = channelTo(at);
    const reading = (async () => {
      for await (const _ of channel.stream(watchAgents, request, { maxMessageBytes: 10_000 }));
    })();
    await expect(reading).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
  });
});

describe('a local socket', () => {
  beforeEach(() => {
    transport = 'socket';
  });

  test('no socket and a stale socket say what to type', async () => {
    const said = { code: 'UNAVAILABLE', message: expect.stringMatching(/no host-agent at .*: fleet up starts it/) };
    using nothing = channelTo(at);
    await expect(nothing.unary(whoAmI, {}, { deadlineMs: 5_000 })).rejects.toMatchObject(said);

    const stale = createServer();
    await new Promise<void>((resolve) => stale.listen(socket, resolve));
    await leaveStale(stale, socket);
    using dead = channelTo(at);
    await expect(dead.unary(whoAmI, {}, { deadlineMs: 5_000 })).rejects.toMatchObject(said);
  });

  test('a file that is no socket is named as such', async () => {
    writeFileSync(socket, '');
    chmodSync(socket, 0o600);
    using channel = channelTo(at);
    await expect(channel.unary(whoAmI, {}, { deadlineMs: 5_000 })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining(socket),
    });
  });

  test.each([
    ['closes at once', (peer: Socket) => peer.destroy()],
    ['answers with something else', (peer: Socket) => peer.end('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ])('a listener that %s is unreachable, not a hang', async (_, act) => {
    const other = createServer(act);
    await new Promise<void>((resolve) => other.listen(socket, resolve));
    try {
      using channel = channelTo(at);
      await expect(channel.unary(whoAmI, {}, { deadlineMs: 5_000 })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    } finally {
      other.close();
    }
  });
});

/** Waits until a count stands still for a while. */
const settled = async (count: () => number): Promise<void> => {
  let last = -1;
  let same = 0;
  await until(
    () => {
      same = count() === last ? same + 1 : 0;
      last = count();
      return same > 10;
    },
    { timeoutMs: 10_000 },
  );
};

/** A socket file that nobody listens on: what a killed daemon leaves. */
const leaveStale = async (server: ReturnType<typeof createServer>, path: string): Promise<void> => {
  const { linkSync, renameSync } = await import('node:fs');
  linkSync(path, `${path}.kept`);
  await new Promise((resolve) => server.close(resolve));
  renameSync(`${path}.kept`, path);
};
