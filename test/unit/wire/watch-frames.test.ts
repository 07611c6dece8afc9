import { expect, test } from 'vitest';
import { type Changes, WatchAgentsResponse } from '../../../src/wire/gen/fleet/v1/view.ts';
import { hostAgentToWire } from '../../../src/wire/host-agent.ts';
import { decodeFrame } from '../../../src/wire/watch-frames.ts';
import { bookmark, opened } from '../../helpers/fleet-mirror.ts';
import { hostAgent } from '../../helpers/host-agent.ts';

const frames: WatchAgentsResponse[] = [
  {},
  opened(),
  bookmark('token'),
  { heard: { hosts: [{ hostAgent: 'h/u', heardAgeMs: 1.5, hostNowMs: 2 }], upstream: undefined } },
  { changes: { hostAgents: [], agents: [], removedHostAgents: [], removedAgents: [] } },
  {
    changes: {
      hostAgents: [hostAgentToWire(hostAgent())],
      agents: [
        { hostAgent: 'hé/u', key: 'k1', row: Buffer.from('one') },
        { hostAgent: 'hé/u', key: '日本', row: Buffer.alloc(0) },
        { hostAgent: '', key: '', row: Buffer.alloc(300, 1) },
        { hostAgent: 'h/other', key: 'k1', row: Buffer.from('two') },
      ],
      removedHostAgents: ['gone/u'],
      removedAgents: [{ hostAgent: 'h/u', key: 'left' }],
    },
  },
];
const encoded = frames.map((frame) => Buffer.from(WatchAgentsResponse.encode(frame).finish()));

/** With rows of its own, as the generated codec makes them. */
const read = (bytes: Buffer): WatchAgentsResponse => {
  const frame = decodeFrame(bytes);
  const agents = frame.changes?.agents.map(({ hostAgent, key, row }) => ({ hostAgent, key, row }));
  return agents ? { ...frame, changes: { ...(frame.changes as Changes), agents } } : frame;
};

test.each(encoded)('frame %# reads as the generated codec reads it', (bytes) => {
  expect(read(bytes)).toEqual(WatchAgentsResponse.decode(bytes));
});

test('rows are parts of the frame, not copies', () => {
  const bytes = encoded.at(-1) as Buffer;
  expect(decodeFrame(bytes).changes?.agents[0]?.row.buffer).toBe(bytes.buffer);
});

test('what a newer version adds is passed over', () => {
  const entry = Buffer.from('0a0168120268697a027878', 'hex');
  const frame = Buffer.concat([Buffer.of(0x12, entry.length + 4, 0x12, entry.length), entry, Buffer.of(0x78, 7)]);
  expect(read(frame)).toEqual(WatchAgentsResponse.decode(frame));
  expect(read(frame).changes?.agents).toMatchObject([{ hostAgent: 'h', key: 'hi' }]);
});

test('an entry that says it is longer than its frame is refused, as by the codec', () => {
  const frame = Buffer.concat([Buffer.of(0x12, 11, 0x12, 39, 0x1a, 37), Buffer.alloc(7, 0x0a)]);
  expect(() => WatchAgentsResponse.decode(frame)).toThrow();
  expect(() => decodeFrame(frame)).toThrow('beyond its frame');
});

test('a frame that is cut anywhere, or mangled, is refused or read, and ends', () => {
  const bytes = encoded.at(-1) as Buffer;
  let refused = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const mangled = Buffer.from(bytes);
    mangled[at] = 0xff - (mangled[at] as number);
    for (const wrong of [bytes.subarray(0, at), mangled]) {
      try {
        decodeFrame(wrong);
      } catch {
        refused += 1;
      }
    }
  }
  expect(refused).toBeGreaterThan(bytes.length);
});
