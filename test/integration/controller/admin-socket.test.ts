import { execFileSync } from 'node:child_process';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AdminServiceClient } from '../../../src/wire/gen/fleet/v1/admin.ts';
import { TestCell, unary } from '../../helpers/test-cell.ts';

describe('the admin socket', () => {
  let cell: TestCell;
  beforeEach(async () => {
    cell = await (await new TestCell().start()).open();
  });
  afterEach(() => cell.stop());

  it('closes its folder to others and serves the administrator without a certificate', async () => {
    const folder = join(cell.folder, 'admin');
    mkdirSync(folder, { mode: 0o755 });
    const path = join(folder, 'c.sock');
    await cell.server.listenLocal(path);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    const client = cell.local(AdminServiceClient, path);
    const made = await unary<{ token: string }>((done) =>
      client.createToken({ host: 'h', user: 'u', tenantId: '', validSeconds: 60, replace: false }, done),
    );
    expect(made.token).toMatch(/^fleet1\./);
    const [allowed] = (await cell.audit.list({ limit: 5 })).filter(({ outcome }) => outcome === 'allowed');
    expect(allowed).toMatchObject({ verb: '/fleet.v1.AdminService/CreateToken', target: 'h/u' });
    expect(JSON.stringify(await cell.audit.list({ limit: 5 }))).not.toContain(made.token);
  });

  it('takes the place of a dead predecessor, and never of a living one or of a file', async () => {
    const path = join(cell.folder, 'admin/c.sock');
    mkdirSync(join(cell.folder, 'admin'), { mode: 0o700 });
    const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 9))`;
    expect(() => execFileSync(process.execPath, ['-e', script], { stdio: 'ignore' })).toThrow();
    await cell.server.listenLocal(path);
    await expect(cell.server.listenLocal(path)).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    const file = join(cell.folder, 'admin/file');
    writeFileSync(file, 'x');
    await expect(cell.server.listenLocal(file)).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    const long = join(cell.folder, 'x'.repeat(120));
    await expect(cell.server.listenLocal(long)).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
  });
});
