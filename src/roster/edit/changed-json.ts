/** A JSON roster stays JSON, with its indentation. Gives null for what is no JSON. */

import type { RosterText } from '../roster-text.ts';
import { changeRoster, type RosterChanges, type Values } from './changes.ts';

export const changedJson = ({ text }: RosterText, changes: RosterChanges): string | null => {
  const roster = parsed(text);
  if (roster === null) return null;
  changeRoster(roster, changes);
  const indent = /^[ \t]+(?=")/m.exec(text)?.[0];
  return `${JSON.stringify(roster, null, indent)}${/\s*$/.exec(text)![0]}`;
};

export const isJson = (text: string): boolean => parsed(text) !== null;

const parsed = (text: string): Values | null => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Values) : null;
  } catch {
    return null;
  }
};
