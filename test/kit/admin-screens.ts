import { randomUUID } from 'node:crypto';
import { TOTP } from 'otpauth';
import type { Browser, Page, Route } from 'playwright-core';
import { logIn, open, settled, takeSeat, type Seat, type SeatOptions } from './admin-browser.ts';
import { adminRoutes, routeOf } from './admin-routes.ts';
import type { AdminWorld, Newcomer } from './admin-world.ts';
import type { TestHub } from './hub.ts';
import { Eyes } from './screen-look.ts';

/*
 * Every screen of the admin, and each state that a screen can be in: with what to look at, how one comes there, and what is played where
 * a hub that is well would never show it.
 */

export interface Screen {
  readonly name: string;
  readonly path: string;
  /** Absent: steward. */
  readonly as?: 'clerk11' | 'auditor';
  /** What a person does there before it is looked at. */
  readonly act?: (page: Page) => Promise<void>;
  /** How the graph answers meanwhile; the browser says in its console that something was refused. */
  readonly graph?: (route: Route) => Promise<void>;
}

const recordKinds = ['cards', 'results', 'referrals', 'reexaminations'] as const;

/** Each address once, with an example for each kind of record. */
export function everyScreen(world: AdminWorld): readonly Screen[] {
  const example: Readonly<Record<string, string>> = {
    citizens: world.citizen,
    cards: world.card,
    results: world.result,
    referrals: world.referral,
    reexaminations: world.reexamination,
    units: 'u1',
    accounts: world.account,
    runs: world.runs.done,
    imports: world.imports.applied,
  };
  return adminRoutes().map((route) => {
    const resource = route.split('/')[1] ?? '';
    const id = example[resource];
    // A kind of record without an example would not be looked at: this says so.
    if (route.includes(':id') && id === undefined) throw new Error(`no example for ${route}`);
    const path = route.replace(':id', id ?? '');
    const forPerson = route.endsWith('/create') && recordKinds.some((kind) => kind === resource);
    return { name: route, path: forPerson ? `${path}?citizen=${world.citizen}` : path };
  });
}

const answered =
  (status: number, body: object) =>
  async (route: Route): Promise<void> =>
    await route.fulfill({ status, contentType: 'application/json', body: JSON.stringify(body) });

const named = (route: Route): string => (route.request().postDataJSON() as { readonly query: string }).query;

const refusal = answered(403, {
  errors: [
    { message: 'Không được phép.', extensions: { code: 'FORBIDDEN', reason: 'ROLE_LACKS_RIGHT', traceId: 'f'.repeat(32) } },
  ],
});
/** The hub refuses what the screen is about; who is logged in, and where, it still says. */
const refusedByHub = async (route: Route): Promise<void> => {
  if (/query (?:Me|Units)\b/.test(named(route))) await route.continue();
  else await refusal(route);
};

const silent = answered(200, {
  data: { record: null },
  errors: [{ message: '', extensions: { code: 'UPSTREAM_BUSY', subgraph: 'insurance' } }],
});
const partsMissing = async (route: Route): Promise<void> => {
  if (/query Citizen(?:Cards|Results|Slips)/.test(named(route))) await silent(route);
  else await route.continue();
};

/** States beside the plain ones. */
export function everyState(world: AdminWorld): readonly Screen[] {
  const { citizen, imports, runs } = world;
  const nobody = randomUUID();
  const forms = [
    `/citizens/${citizen}`,
    `/cards/${world.card}`,
    `/results/${world.result}`,
    `/referrals/${world.referral}`,
  ].concat(`/reexaminations/${world.reexamination}`, '/units/u1');
  return [
    ...(['awaited', 'checked', 'refused'] as const).map((state) => ({
      name: `import ${state}`,
      path: `/imports/${imports[state]}/show`,
    })),
    { name: 'import of which nothing is known', path: `/imports/${nobody}/show` },
    { name: 'run that goes on', path: `/runs/${runs.running}/show` },
    { name: 'run that rests', path: `/runs/${runs.paused}/show` },
    {
      name: 'run to be cancelled',
      path: `/runs/${runs.paused}/show`,
      act: async (page) => {
        await page.click('.run .run-acts button >> nth=-1');
        await page.waitForSelector('.run .asked');
      },
    },
    { name: 'settled discrepancies', path: '/discrepancies?state=SETTLED' },
    {
      name: 'many discrepancies at once',
      path: '/discrepancies',
      act: async (page) => {
        await page.click('.title-line .acts button >> nth=0');
        await page.check('.desk input[type=checkbox] >> nth=0');
      },
    },
    {
      name: 'discrepancy to be handed over',
      path: '/discrepancies',
      act: async (page) => {
        await page.waitForSelector('.at-hand .decisions');
        await page.keyboard.press('4');
        await page.waitForSelector('.decisions kbd:text-is("Esc")');
      },
    },
    ...forms.map((path) => ({ name: `withdrawal at ${routeOf(path)}`, path: `${path}?act=withdraw` })),
    {
      name: 'form with what is wrong',
      path: `/cards/create?citizen=${citizen}`,
      act: async (page) => {
        await page.fill('[name=number]', 'DN1');
        await page.click('button[type=submit]');
        await page.waitForSelector('.wrong');
      },
    },
    {
      name: 'why a field has its status',
      path: `/citizens/${citizen}/show`,
      act: async (page) => {
        await page.click('.identity .field-acts button >> nth=0');
        await page.waitForSelector('[role=dialog]');
      },
    },
    {
      name: 'a number on a stated purpose',
      path: `/citizens/${citizen}/show`,
      act: async (page) => {
        await page.click('.reveal >> nth=0');
        await page.waitForSelector('[role=dialog]');
      },
    },
    ...[1, 2].map((tab) => ({
      name: `past of a person, tab ${tab + 1}`,
      path: `/citizens/${citizen}/show`,
      act: async (page: Page) => {
        await page.click(`[role=tab] >> nth=${tab}`);
        await settled(page);
      },
    })),
    {
      name: 'search with results',
      path: '/citizens',
      act: async (page) => {
        await page.keyboard.press('/');
        await page.keyboard.type('nguyen van');
        await page.waitForSelector('[role=option] mark');
      },
    },
    {
      name: 'search that finds nobody',
      path: '/citizens',
      act: async (page) => {
        await page.keyboard.press('/');
        await page.keyboard.type('zzz khong co ai');
        await page.waitForSelector('.search-found > p:not(.small)');
      },
    },
    {
      name: 'keys',
      path: '/',
      act: async (page) => {
        await page.keyboard.press('?');
        await page.waitForSelector('[role=dialog] kbd');
      },
    },
    {
      name: 'look and language',
      path: '/',
      act: async (page) => {
        await page.click('.account');
        await page.waitForSelector('[role=dialog]');
      },
    },
    {
      name: 'choice of columns',
      path: '/citizens?lifeStatus=ACTIVE',
      act: async (page) => {
        await page.click('.title-line button[aria-haspopup=dialog]');
        await page.waitForSelector('[role=dialog]');
      },
    },
    ...['citizens', ...recordKinds, 'discrepancies', 'work'].map((kind) => ({
      name: `empty list of ${kind}`,
      path: kind === 'citizens' ? '/citizens?bornFrom=1800-01-01&bornTo=1800-01-02' : `/${kind}?citizen=${nobody}`,
    })),
    ...['citizens', ...recordKinds, 'runs', 'accounts', 'units'].map((kind) => ({
      name: `${kind}: one that is not there`,
      path: `/${kind}/${kind === 'units' ? 'u999999' : nobody}/show`,
    })),
    { name: 'no such page', path: '/nowhere' },
    { name: 'not for this role', path: '/accounts', as: 'clerk11' },
    { name: 'queues of somebody who may not see them', path: '/queues', as: 'clerk11' },
    { name: 'what a clerk has to do', path: '/', as: 'clerk11' },
    { name: 'what an auditor has to do', path: '/', as: 'auditor' },
    {
      name: 'who read a person',
      path: '/audit',
      as: 'auditor',
      act: async (page) => {
        await page.fill('.by-number input', '038090000001');
        await page.keyboard.press('Enter');
        await page.waitForURL(/person=/);
        await settled(page);
      },
    },
    { name: 'list refused by the hub', path: '/citizens', graph: refusedByHub },
    { name: 'person refused by the hub', path: `/citizens/${citizen}/show`, graph: refusedByHub },
    { name: 'person of whom parts are missing', path: `/citizens/${citizen}/show`, graph: partsMissing },
  ];
}

/** Somebody who looks at screens, one after the other, in one look, width and language. */
export class Onlooker {
  readonly #browser: Browser;
  readonly #hub: TestHub;
  readonly #options: SeatOptions;
  readonly #seats = new Map<string, { readonly seat: Seat; readonly eyes: Eyes }>();
  readonly #seen: ((page: Page, name: string) => Promise<void>) | undefined;

  /** `seen`: called when a screen stands, for pictures. */
  constructor(browser: Browser, hub: TestHub, options: SeatOptions, seen?: (page: Page, name: string) => Promise<void>) {
    this.#browser = browser;
    this.#hub = hub;
    this.#options = options;
    this.#seen = seen;
  }

  async #seatOf(login: string): Promise<{ readonly seat: Seat; readonly eyes: Eyes }> {
    const taken = this.#seats.get(login);
    if (taken !== undefined) return taken;
    let eyes: Eyes | undefined;
    const seat = await logIn(this.#browser, this.#hub.address, login, this.#options, (page) => {
      eyes = new Eyes(page, this.#options.language ?? 'vi');
    });
    if (eyes === undefined) throw new Error('nobody looks at the page');
    const made = { seat, eyes };
    this.#seats.set(login, made);
    return made;
  }

  /** What is wrong with it, each said with its name; that one cannot come there, too. */
  async look(screen: Screen): Promise<readonly string[]> {
    try {
      return await this.#see(screen);
    } catch (error) {
      this.#seats.delete(screen.as ?? 'steward');
      return [`${screen.name}: ${String(error)}`];
    }
  }

  async #see({ name, path, as, act, graph }: Screen): Promise<readonly string[]> {
    const { seat, eyes } = await this.#seatOf(as ?? 'steward');
    const { page, problems } = seat;
    if (graph !== undefined) {
      await page.route('**/graphql', graph);
      // What was answered before would be shown instead.
      await page.reload();
    }
    await eyes.begin();
    await open(page, this.#hub.address, path);
    await act?.(page);
    const found = [...(await eyes.look())];
    await this.#seen?.(page, name);
    if (graph !== undefined) {
      await page.unroute('**/graphql');
      await page.reload();
    } else if (act !== undefined) {
      // Leaves nothing open for the next.
      await page.keyboard.press('Escape');
      await page.waitForSelector('[role=dialog]', { state: 'detached' });
      await page.goto(`${this.#hub.address}/#/nowhere`);
    }
    const said = problems.splice(0);
    return [...found, ...(graph === undefined ? said : said.filter((line) => !line.startsWith('console: Failed to load')))].map(
      (problem) => `${name}: ${problem}`,
    );
  }

  async leave(): Promise<void> {
    for (const { seat } of this.#seats.values()) await seat.context.close();
  }

  /** The pages before the admin: they say everything twice, and work without scripts. */
  async lookAtDoor({ login, password }: Newcomer): Promise<readonly string[]> {
    const { page, context, problems } = await takeSeat(this.#browser, this.#hub.address, this.#options);
    const eyes = new Eyes(page, null);
    const found: string[] = [];
    const look = async (name: string): Promise<void> => {
      await page.waitForLoadState();
      found.push(...(await eyes.look()).map((problem) => `${name}: ${problem}`));
      await this.#seen?.(page, name);
    };
    const enter = async (given: string, purpose?: string): Promise<void> => {
      await page.fill('input[name=login]', login);
      await page.fill('input[name=password]', given);
      if (purpose !== undefined) {
        await page.click('summary');
        await page.check(`input[value=${purpose}]`);
      }
      await page.click('form button >> nth=0');
    };
    const own: string = randomUUID();
    await page.waitForSelector('input[name=login]');
    await look('log-in');
    await enter('not this one');
    await page.waitForSelector('.wrong');
    await look('log-in that was wrong');
    await enter(password);
    await page.waitForSelector('input[name=newPassword]');
    await look('first password');
    await page.fill('input[name=newPassword]', own);
    await page.fill('input[name=again]', `${own}x`);
    await page.click('form button');
    await page.waitForSelector('.wrong');
    await look('first password not typed the same twice');
    await page.fill('input[name=newPassword]', own);
    await page.fill('input[name=again]', own);
    await page.click('form button');
    await page.waitForSelector('.who-unit');
    await page.goto(`${this.#hub.address}/auth/login`);
    await enter(own, 'second-factor');
    await page.waitForSelector('.key code');
    await look('second factor turned on');
    const secret = ((await page.textContent('.key code')) ?? '').replace(/\s/g, '');
    const code = (later: number): string => new TOTP({ secret }).generate({ timestamp: Date.now() + later });
    await page.fill('input[name=code]', code(0));
    await page.click('form button');
    await page.waitForSelector('.who-unit');
    await page.goto(`${this.#hub.address}/auth/login`);
    await enter(own, 'second-factor');
    await page.waitForSelector('input[name=code]');
    await look('second factor asked for');
    // Each code is good once: the next one, a step early.
    await page.fill('input[name=code]', code(30_000));
    await page.click('form button');
    await page.waitForSelector('button[name=confirm]');
    await look('second factor turned off');
    await page.context().clearCookies();
    await page.click('button[value=yes]');
    await page.waitForSelector('main a[href="/auth/login"]');
    await look('log-in that has ended');
    await context.close();
    // A refused password and a log-in that ended are answered with 4xx, which the browser says in its console.
    return [...found, ...problems.filter((line) => !line.startsWith('console: Failed to load'))];
  }
}
