import { describe, expect, test } from 'vitest';
import { heartbeatFolders } from '../../../../host-agent/heartbeat/folders.ts';
import { parseHeartbeat } from '../../../../host-agent/heartbeat/parse.ts';
import { timestampMs } from '../../../../host-agent/heartbeat/timestamp.ts';

const AT = Date.UTC(2026, 0, 2, 3, 4, 5);

describe('time stamps', () => {
  test.each([
    [AT / 1_000, AT],
    [AT / 1_000 + 0.25, AT + 250],
    [AT, AT],
    [String(AT / 1_000), AT],
    [` ${AT} `, AT],
    ['1767323045.5', AT + 500],
    ['2026-01-02T03:04:05Z', AT],
    ['2026-01-02T03:04:05.123456+00:00', AT + 123],
    ['2026-01-02 05:04:05+0200', AT],
    ['2026-01-02T05:04:05+02', AT],
    ['2026-01-02T03:04Z', AT - 5_000],
    ['2026-01-02T03:04:05', new Date(2026, 0, 2, 3, 4, 5).getTime()],
  ])('%j is understood', (value, ms) => {
    expect(timestampMs(value)).toBe(ms);
  });

  test.each([0, -5, Number.NaN, 1e15, '', 'yesterday', '2026-13-02T03:04:05Z', '1e9', null, true, {}, []])(
    '%j is no time',
    (value) => {
      expect(timestampMs(value)).toBeNull();
    },
  );
});

describe('heartbeat texts', () => {
  test('JSON and key=value lines say the same', () => {
    const expected = { invalid: null, tsMs: AT, pid: 7, status: 'busy', model: 'gpt-5.5' };
    expect(parseHeartbeat(`{"ts":${AT / 1_000},"pid":7,"status":"busy","model":"gpt-5.5","turn":3}`)).toEqual(expected);
    expect(parseHeartbeat(`# v1\r\nexport ts=${AT}\npid = 7\n\nstatus='busy'\nmodel="gpt-5.5"\n`)).toEqual(expected);
  });

  test.each([
    ['', 'is empty'],
    ['{"ts": 17', 'is no valid JSON (cut short?)'],
    ['[1]', 'is JSON, but no object'],
    ['hello', 'is neither JSON nor key=value lines'],
    ['pid=3', 'has no ts'],
    ['ts=soon', 'has a ts that is no time'],
    ['{"ts":null}', 'has a ts that is no time'],
  ])('%j is told as invalid in words', (text, words) => {
    expect(parseHeartbeat(text)).toEqual({ invalid: words });
  });

  test('pids and texts that make no sense are unknown, the beat still counts', () => {
    expect(parseHeartbeat(`{"ts":${AT},"pid":-1,"status":{},"model":""}`)).toMatchObject({
      invalid: null,
      pid: null,
      status: null,
      model: null,
    });
    expect(parseHeartbeat(`ts=${AT}\npid=99999999999\n`)).toMatchObject({ pid: null });
    expect(parseHeartbeat(`ts=${AT}\npid=9999999999\n`)).toMatchObject({ pid: null });
    expect(parseHeartbeat(`{"ts":${AT},"pid":4294967296}`)).toMatchObject({ pid: null });
  });

  test('texts lose control and direction characters and are cut', () => {
    const text = JSON.stringify({ ts: AT, status: 'o\u001b[31mk\u202e\n', model: 'm'.repeat(1_000) });
    const beat = parseHeartbeat(text);
    expect(beat).toMatchObject({ status: 'o[31mk' });
    expect(beat.invalid === null && beat.model?.length).toBe(128);
  });

  test('field names are no prototype names', () => {
    expect(parseHeartbeat('__proto__=1\nconstructor=2')).toEqual({ invalid: 'has no ts' });
    expect(parseHeartbeat('{"__proto__":{"ts":5}}')).toEqual({ invalid: 'has no ts' });
  });

  test('a marker without a ts is as old as the file itself', () => {
    expect(parseHeartbeat('', AT)).toMatchObject({ invalid: null, tsMs: AT, pid: null });
    expect(parseHeartbeat(`ts=${AT}`, AT + 9_000)).toMatchObject({ tsMs: AT });
  });
});

test('the folder is the shared one unless the agent itself writes elsewhere', () => {
  const env = new Map([
    ['plain', new Map([['MOSAIC_AGENT_MODEL', 'x']])],
    ['named', new Map([['MOSAIC_HEARTBEAT_RUN_DIR', '/srv/run/']])],
    ['tilde', new Map([['MOSAIC_HEARTBEAT_RUN_DIR', '~/beats']])],
    ['variable', new Map([['MOSAIC_HEARTBEAT_RUN_DIR', '$HOME/beats']])],
    ['moved', new Map([['MOSAIC_HOME', '/srv/mosaic']])],
    ['same', new Map([['MOSAIC_HEARTBEAT_RUN_DIR', '/home/j/.config/mosaic/fleet/run/']])],
  ]);
  expect(heartbeatFolders('/home/j/.config/mosaic', '/home/j', env)).toEqual({
    shared: '/home/j/.config/mosaic/fleet/run',
    byAgent: new Map([
      ['named', '/srv/run'],
      ['tilde', '/home/j/beats'],
      ['variable', '/home/j/beats'],
      ['moved', '/srv/mosaic/fleet/run'],
    ]),
  });
});
