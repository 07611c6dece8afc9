/** A user's own roster below a Mosaic home: which file it is, and what stands in it. Never writes. */
import { join } from 'node:path';
import { type FileText, readFileText } from '../runtime/read-file.ts';

const LIMITS = { maxBytes: 2 * 1024 * 1024, followLinks: true } as const;

export interface FoundRoster {
  /** Where it is, or would be. */
  path: string;
  file: FileText;
  /** The other file, which is there too and is not read; null where it is not. */
  passedOver: string | null;
}

/** `roster.yaml`, else `roster.json`. Never rejects. */
export const findRoster = async (mosaicHome: string): Promise<FoundRoster> => {
  const [yaml, json] = ['roster.yaml', 'roster.json'].map((name) => join(mosaicHome, 'fleet', name)) as [
    string,
    string,
  ];
  const [first, second] = await Promise.all([readRosterFile(yaml), readRosterFile(json)]);
  if (first.kind === 'missing' && second.kind !== 'missing') return { path: json, file: second, passedOver: null };
  return { path: yaml, file: first, passedOver: second.kind === 'missing' ? null : json };
};

export const readRosterFile = (path: string): Promise<FileText> => readFileText(path, LIMITS);
