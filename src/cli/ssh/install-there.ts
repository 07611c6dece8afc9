/** Node.js and this version into the machine's home, each sent only where it is missing. */
import { join } from 'node:path';
import { done, unchanged, would } from '../install/steps.ts';
import { type InstallContext, must, SCRIPT_TIMEOUT_MS, type Survey } from './add-context.ts';
import { knownRuntimeId, runtimeArchive, versionArchive } from './archives.ts';
import { architectureOf, systemNode } from './preflight.ts';
import { remoteScript } from './remote-script.ts';
import { mebibytes, upload } from './upload.ts';

/** Node.js of the machine itself: its folder holds only a link. */
const SYSTEM_RUNTIME = 'node-of-this-machine';

export const installThere = async (context: InstallContext, { facts }: Pick<Survey, 'facts'>): Promise<void> => {
  const { paths, shipped, steps, session, options, signal } = context;
  const cache = join(paths.share, 'cache');
  const arch = architectureOf(facts) as 'x64' | 'arm64';
  const runtime = await steps.run('node', async (progress) => {
    const own = systemNode(facts);
    if (own) {
      if (facts.runtimes.includes(SYSTEM_RUNTIME)) return [unchanged(`its own, ${own}`), SYSTEM_RUNTIME];
      if (options.dryRun) return [would(`use its own, ${own}`), SYSTEM_RUNTIME];
      const script = remoteScript('link-runtime', { ID: SYSTEM_RUNTIME, NODE: own });
      await must(session.run(script, { timeoutMs: SCRIPT_TIMEOUT_MS, signal }), 'its own Node.js does not run');
      return [done(`uses its own, ${own}`), SYSTEM_RUNTIME];
    }
    const known = await knownRuntimeId(shipped, arch, cache);
    if (known && facts.runtimes.includes(known)) return [unchanged(known), known];
    if (options.dryRun) return [would(`upload Node.js for ${arch}`), known ?? ''];
    progress('preparing');
    const archive = await runtimeArchive(shipped, arch, cache);
    if (facts.runtimes.includes(archive.id)) return [unchanged(archive.id), archive.id];
    await upload(session, archive, { kind: 'runtime', runtime: '', signal, progress });
    return [done(`uploaded ${archive.id}, ${mebibytes(archive.bytes)}, checksum right`), archive.id];
  });
  await steps.run('fleet', async (progress) => {
    if (facts.versions.includes(shipped.id)) return unchanged(shipped.id);
    if (options.dryRun) return would(`upload ${shipped.id}`);
    const archive = await versionArchive(shipped, cache);
    await upload(session, archive, { kind: 'version', runtime, signal, progress });
    return done(`uploaded ${shipped.id}, ${mebibytes(archive.bytes)}, checksum right`);
  });
};
