/** Whether the file of an agent's unit is one that fleet wrote. A link is somebody's own, wherever it leads. */
import { readFileText } from '../../src/runtime/read-file.ts';
import { isOurUnitText } from './agent-unit.ts';
import { unitFile } from './launch-paths.ts';

const LIMITS = { maxBytes: 64 * 1024, followLinks: false } as const;

export const isOurUnit = async (home: string, agent: string): Promise<boolean> => {
  const file = await readFileText(unitFile(home, agent), LIMITS);
  return file.kind === 'text' && isOurUnitText(file.text);
};
