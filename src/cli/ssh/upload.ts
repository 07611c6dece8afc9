/** Sends one archive through the session, with its progress; nothing is in place unless its checksum is right. */
import { createReadStream } from 'node:fs';
import { Transform } from 'node:stream';
import { FleetError } from '../../domain/errors.ts';
import type { Archive } from './archives.ts';
import { remoteScript } from './remote-script.ts';
import type { SshSession } from './ssh-session.ts';

/** 44 MB over a line of 1 Mbit/s, and some. */
const UPLOAD_TIMEOUT_MS = 600_000;
const BAR_CELLS = 24;

export interface UploadOptions {
  kind: 'version' | 'runtime';
  /** Folder of the Node.js that a version runs on. */
  runtime: string;
  signal: AbortSignal;
  progress: (text: string) => void;
}

/** Resolves when it stands there whole, by its checksum. Throws DATA_LOSS when it does not; then nothing was changed there. */
export const upload = async (session: SshSession, archive: Archive, options: UploadOptions): Promise<void> => {
  const script = remoteScript('receive', {
    KIND: options.kind,
    ID: archive.id,
    SUM: archive.sha256,
    RUNTIME: options.runtime,
  });
  let sent = 0;
  let shown = -1;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, next) {
      sent += chunk.length;
      const percent = Math.floor((sent * 100) / archive.bytes);
      if (percent !== shown) options.progress(progressBar(sent, archive.bytes));
      shown = percent;
      next(null, chunk);
    },
  });
  const file = createReadStream(archive.file);
  file.on('error', (error) => counted.destroy(error));
  const input = file.pipe(counted);
  const result = await session.run(script, { timeoutMs: UPLOAD_TIMEOUT_MS, signal: options.signal, input });
  if (result.exitCode === 0) return;
  const why = result.stderr.trim().split('\n').at(-1) || `exit ${result.exitCode}`;
  throw new FleetError('DATA_LOSS', `${options.kind} was not installed, and nothing was changed: ${why}`);
};

export const mebibytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;

/** `[########----------------] 33 %  14.1 of 42.4 MiB`. */
export const progressBar = (sent: number, total: number): string => {
  const share = total === 0 ? 1 : Math.min(1, sent / total);
  const full = Math.floor(share * BAR_CELLS);
  const bar = '#'.repeat(full) + '-'.repeat(BAR_CELLS - full);
  const percent = String(Math.floor(share * 100)).padStart(3);
  return `[${bar}] ${percent} %  ${(sent / 1024 / 1024).toFixed(1)} of ${mebibytes(total)}`;
};
