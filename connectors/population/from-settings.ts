import { readFileSync } from 'node:fs';
import { askerSettings, type Settings } from '#kernel/config.ts';
import type { Allowance, CallEvent } from './client.ts';
import { demoAccess } from './demo-access.ts';
import { openPopulation } from './index.ts';
import type { Asker, PopulationDatabase } from './person.ts';

export interface PopulationConnection {
  readonly database: PopulationDatabase;
  /** In whose name the hub asks when nobody in particular does; `account` is who started the work. */
  asker(account: string): Asker;
}

export interface ConnectionOptions {
  /** Address of a simulator that the settings do not name. */
  readonly url?: string;
  readonly allowance?: Allowance;
  readonly observe?: (event: CallEvent) => void;
}

/** In production nobody asks without account, officer, unit and procedure: a process that would is not started. */
export function refuseWithoutAsker({
  population,
  populationUrl,
  production,
}: Pick<Settings, 'population' | 'populationUrl' | 'production'>): void {
  if (!production || populationUrl === null) return;
  const given = {
    POPULATION_USER: population.user,
    POPULATION_SECRET: population.secret,
    POPULATION_OFFICER: population.officer,
    POPULATION_UNIT: population.unit,
    POPULATION_PROCEDURE: population.procedure,
  };
  const missing = askerSettings.filter((name) => given[name] === null);
  if (missing.length > 0) throw new Error(`The population database cannot be asked without ${missing.join(', ')}.`);
}

/**
 * The population database as the settings say; `null` where there is none. Outside production what is not set is what the simulator knows.
 */
export function populationFromSettings(
  { population, populationUrl, production }: Settings,
  { url = populationUrl ?? undefined, allowance, observe }: ConnectionOptions = {},
): PopulationConnection | null {
  if (url === undefined) return null;
  refuseWithoutAsker({ population, populationUrl: url, production });
  const { officer, unit, procedure, user, secret } = demoAccess;
  return {
    database: openPopulation({
      url,
      user: population.user ?? user,
      secret: population.secret ?? secret,
      client: population.client,
      apiKey: population.apiKey,
      callsPerSecond: population.callsPerSecond,
      callsAtOnce: population.callsAtOnce,
      ...(population.authorityFile !== null && { authority: readFileSync(population.authorityFile, 'utf8') }),
      ...(allowance !== undefined && { allowance }),
      ...(observe !== undefined && { observe }),
    }),
    asker: (account) => ({
      account,
      officer: population.officer ?? officer,
      unit: population.unit ?? unit,
      procedure: population.procedure ?? procedure,
    }),
  };
}
