/**
 * Comes in: the text of a heartbeat file, v1 or v2, as JSON or key=value lines. Goes out: its fields, or in
 * words why it is no heartbeat. Never throws; texts are cut and stripped of control characters.
 */
import { timestampMs } from './timestamp.ts';

export type HeartbeatText =
  | { invalid: string }
  | { invalid: null; tsMs: number; pid: number | null; status: string | null; model: string | null };

const MAX_STATUS_CHARS = 32;
const MAX_MODEL_CHARS = 128;
/** No 64-bit Linux gives out a higher one (PID_MAX_LIMIT). */
const MAX_PID = 2 ** 22;

const fieldsOfJson = (text: string): Record<string, unknown> | string => {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
    return 'is JSON, but no object';
  } catch {
    return 'is no valid JSON (cut short?)';
  }
};

const fieldsOfLines = (text: string): Record<string, unknown> | string => {
  const fields: Record<string, string> = Object.create(null);
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const match = /^(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)$/.exec(line);
    if (!match) return 'is neither JSON nor key=value lines';
    fields[match[1]!] = match[2]!.replace(/^(["'])(.*)\1$/, '$2');
  }
  return fields;
};

const shortText = (value: unknown, maxChars: number): string | null => {
  if (typeof value !== 'string' && typeof value !== 'number') return null;
  const text = String(value)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, '')
    .trim();
  return text === '' ? null : [...text].slice(0, maxChars).join('');
};

const pidOf = (value: unknown): number | null => {
  const number = typeof value === 'string' && /^\d{1,10}$/.test(value) ? Number(value) : value;
  return Number.isSafeInteger(number) && (number as number) > 0 && (number as number) <= MAX_PID
    ? (number as number)
    : null;
};

/** `markerMs`: the file is a marker, whose age may be its own time stamp where it holds none. */
export const parseHeartbeat = (text: string, markerMs: number | null = null): HeartbeatText => {
  const body = text.trim();
  if (body === '' && markerMs === null) return { invalid: 'is empty' };
  const fields = body.startsWith('{') || body.startsWith('[') ? fieldsOfJson(body) : fieldsOfLines(body);
  if (typeof fields === 'string') return { invalid: fields };
  if (fields.ts === undefined && markerMs === null) return { invalid: 'has no ts' };
  const tsMs = fields.ts === undefined ? markerMs : timestampMs(fields.ts);
  if (tsMs === null) return { invalid: 'has a ts that is no time' };
  return {
    invalid: null,
    tsMs,
    pid: pidOf(fields.pid),
    status: shortText(fields.status, MAX_STATUS_CHARS),
    model: shortText(fields.model, MAX_MODEL_CHARS),
  };
};
