import { expect, test } from 'vitest';
import { type ControlEvent, ControlParser } from '../../../../host-agent/tmux/control-parser.ts';

const shown = (events: ControlEvent[]) =>
  events.map((event) =>
    event.type === 'reply'
      ? { ok: event.ok, ours: event.ours, lines: event.lines.map(String) }
      : event.line.toString('utf8'),
  );
const parse = (text: string | Buffer, bounds?: { maxLineBytes: number; maxReplyBytes: number }) =>
  shown(new ControlParser(bounds).push(Buffer.from(text as string)));

test('the attach block is told from the reply to a line, and a refusal from an answer', () => {
  const text = '%begin 17 1 0\n%end 17 1 0\n%begin 18 2 1\none\ntwo\n%end 18 2 1\n%begin 19 3 1\nno\n%error 19 3 1\n';
  expect(parse(text)).toEqual([
    { ok: true, ours: false, lines: [] },
    { ok: true, ours: true, lines: ['one', 'two'] },
    { ok: false, ours: true, lines: ['no'] },
  ]);
});

test('only the end of the same time and number ends a block', () => {
  const hostile = ['%end 18 3 1', '%end 17 2 1', '%error 1 2 1', '%begin 18 2 1', ' %end 18 2 1', '%end 18 2'];
  expect(parse(`%begin 18 2 1\n${hostile.join('\n')}\n%end 18 2 1\n%after\n`)).toEqual([
    { ok: true, ours: true, lines: hostile },
    '%after',
  ]);
});

test('every cut of the bytes gives the same events', () => {
  const text = Buffer.from('%begin 1 1 1\nné 😀\u001b]0;x\u0007 "q" \'s\' /\\\n\n%end 1 1 1\n%output %1 é\\033[31m\n');
  const whole = shown(new ControlParser().push(text));
  for (let at = 0; at <= text.length; at++) {
    const parser = new ControlParser();
    const events = [...parser.push(text.subarray(0, at)), ...parser.push(text.subarray(at))];
    expect(shown(events)).toEqual(whole);
  }
  const parser = new ControlParser();
  expect(shown([...text].flatMap((byte) => parser.push(Buffer.from([byte]))))).toEqual(whole);
});

test('bytes that are no UTF-8 come out as they went in', () => {
  const events = new ControlParser().push(Buffer.from([0x25, 0x78, 0xff, 0xfe, 0x00, 0x0a]));
  expect(events).toEqual([{ type: 'notification', line: Buffer.from([0x25, 0x78, 0xff, 0xfe, 0x00]) }]);
});

test('a kept line does not change when the chunk it came in is written over', () => {
  const chunk = Buffer.from('%first\n%sec');
  const parser = new ControlParser();
  const [event] = parser.push(chunk);
  chunk.fill(0x21);
  expect(shown([event!, ...parser.push(Buffer.from('ond\n'))])).toEqual(['%first', '%second']);
});

test('a line or a reply over its bound ends the reading', () => {
  const bounds = { maxLineBytes: 32, maxReplyBytes: 64 };
  expect(() => parse('x'.repeat(33), bounds)).toThrow('a line of more than 32 bytes');
  expect(() => parse(`${'x'.repeat(33)}\n`, bounds)).toThrow('a line of more than 32 bytes');
  expect(() => parse(`%begin 1 1 1\n${'0123456789\n'.repeat(6)}`, bounds)).toThrow('a reply of more than 64 bytes');
  expect(parse(`${'x'.repeat(32)}\n`, bounds)).toEqual(['x'.repeat(32)]);
});
