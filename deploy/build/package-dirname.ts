/**
 * Comes in: CommonJS packages that read files beside themselves through `__dirname`. Goes out: the same code
 * reading from `lib/vendor/<package path>`, and a copy of their .proto files there. Never touches our own code.
 */
import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Plugin } from 'esbuild';

/** Packages that load .proto files at run time; every other use of `__dirname` in a bundle is a dead path. */
const PACKAGES = ['@grpc/grpc-js', '@grpc/reflection', 'grpc-health-check'] as const;

/** Set by the banner of every chunk: the folder that holds the bundle. */
export const SHIPPED_LIB = '__shippedLib';

export const packageDirname: Plugin = {
  name: 'package-dirname',
  setup(build) {
    build.onLoad({ filter: /[\\/]node_modules[\\/].*\.c?js$/ }, ({ path }) => {
      const inside = path.slice(path.lastIndexOf('/node_modules/') + '/node_modules/'.length);
      if (!PACKAGES.some((name) => inside.startsWith(`${name}/`))) return undefined;
      const source = readFileSync(path, 'utf8');
      if (!source.includes('__dirname')) return undefined;
      const folder = JSON.stringify(`/vendor/${dirname(inside)}`);
      return { contents: source.replaceAll('__dirname', `(${SHIPPED_LIB} + ${folder})`), loader: 'js' };
    });
  },
};

/** Copies what those packages read at run time. */
export const copyPackageProtos = (nodeModules: string, lib: string): void => {
  for (const name of PACKAGES) {
    const root = join(nodeModules, name);
    for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !entry.name.endsWith('.proto')) continue;
      const from = join(entry.parentPath, entry.name);
      const inside = from.slice(root.length);
      if (inside.includes('/node_modules/') || inside.includes('/sample/')) continue;
      cpSync(from, join(lib, 'vendor', name, inside));
    }
  }
};
