/** The version that runs, against the one that is installed here and the controller's. */
import { readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { FLEET_VERSION } from '../../src/runtime/version.ts';
import type { Finding } from '../../src/wire/gen/fleet/v1/view.ts';
import type { DiagnoseOptions } from './diagnose-options.ts';
import { ok, warning } from './finding.ts';

export const versions = (options: DiagnoseOptions): Finding[] => {
  const { controllerVersion, build: running } = options;
  const found: Finding[] = [];
  const installed = installedVersion(options);
  if (running !== null && installed !== null && installed !== running) {
    const why = 'what is new there sleeps until the daemons are started anew';
    found.push(
      warning('version', `${running} runs, ${installed} is installed`, why, 'fleet up; sessions are not touched'),
    );
  }
  const theirs = controllerVersion();
  if (theirs !== null && theirs !== FLEET_VERSION) {
    const why = 'older and newer understand each other, but what only one of them knows is not shown';
    const what = `host-agent ${FLEET_VERSION}, controller ${theirs}`;
    found.push(warning('version', what, why, 'fleet host upgrade, on the controller’s machine'));
  }
  return found.length > 0
    ? found
    : [ok('version', `host-agent ${FLEET_VERSION}${theirs === null ? '' : ', and so the controller'}`)];
};

const installedVersion = ({ config }: DiagnoseOptions): string | null => {
  try {
    return basename(readlinkSync(join(config.paths.share, 'current')));
  } catch {
    return null;
  }
};
