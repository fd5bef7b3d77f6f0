import { join } from 'node:path';
import { hubFolder, type Settings } from '#kernel/config.ts';
import type { InstallationKeys } from './keys.ts';
import type { ProcessSpec } from './supervised.ts';

/** Which processes a hub is made of, and what each is told. */
export interface HubPlan {
  readonly settings: Settings;
  /** Of the graph; every process has to know it before it listens, since tokens name it. */
  readonly port: number;
  readonly keys: InstallationKeys;
  /** Where the population database is: by setting, or the simulator; `null`: nowhere. */
  readonly populationUrl: string | null;
}

const subgraphs = ['citizens', 'insurance', 'results', 'slips', 'organisation'] as const;

export function programFile(...parts: string[]): string {
  return join(hubFolder, ...parts);
}

/** Settings of every process, beside those of the environment. Never the owner's address of the database. */
export function commonSettings({ settings, port, keys, populationUrl }: HubPlan): Record<string, string> {
  return {
    PORT: String(port),
    FILES_PORT: String(settings.filesPort),
    HUB_DATA_DIR: settings.dataDir,
    HUB_ROLES_FILE: settings.rolesFile,
    HUB_IDENTIFIER_KEY: keys.identifierKey.toString('hex'),
    HUB_DEMO: settings.demo ? '1' : '0',
    ...(populationUrl !== null && { POPULATION_URL: populationUrl }),
  };
}

/** Gateway and all subgraphs in one process. */
export function hubProcess(plan: HubPlan): ProcessSpec {
  return { name: 'hub', command: [programFile('cli', 'hub-process.ts')], env: () => commonSettings(plan) };
}

/** Each subgraph; a loopback port that stays the same when it is started again. */
export function subgraphProcesses(plan: HubPlan): readonly ProcessSpec[] {
  return subgraphs.map((name) => ({
    name,
    command: [programFile('subgraphs', 'main.ts'), name],
    env: (address) => ({
      ...commonSettings(plan),
      HUB_HOP_PUBLIC_KEYS: plan.keys.hopPublicKeys,
      HUB_INNER_PORT: portOf(address),
    }),
  }));
}

export function gatewayProcess(plan: HubPlan, addresses: Readonly<Record<string, string>>): ProcessSpec {
  const list = subgraphs.map((name) => `${name}=${addresses[name] ?? ''}`).join(',');
  return {
    name: 'gateway',
    command: [programFile('gateway', 'main.ts')],
    env: () => ({ ...commonSettings(plan), HUB_HOP_KEY: plan.keys.hopKey, HUB_SUBGRAPHS: list }),
  };
}

/** Carries committed changes on; it answers nobody. */
export function workerProcess(plan: HubPlan): ProcessSpec {
  return {
    name: 'worker',
    command: [programFile('workers', 'main.ts')],
    env: (address) => ({
      ...commonSettings(plan),
      HUB_AUDIT_KEY: JSON.stringify(plan.keys.auditKey),
      HUB_INNER_PORT: portOf(address),
    }),
  };
}

/** Stands in for the population database where no address of it is set. */
export function populationSimulator(plan: HubPlan): ProcessSpec {
  return {
    name: 'population',
    command: [programFile('connectors', 'population', 'main.ts')],
    env: (address) => ({ ...commonSettings(plan), HUB_INNER_PORT: portOf(address) }),
  };
}

/** The port it had before, or any. */
function portOf(address: string | null): string {
  return address === null ? '0' : new URL(address).port;
}
