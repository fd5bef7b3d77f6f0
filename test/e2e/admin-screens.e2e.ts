import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { openChromium } from '../kit/admin-browser.ts';
import { everyScreen, everyState, Onlooker } from '../kit/admin-screens.ts';
import { busyWorld, newcomer, type AdminWorld } from '../kit/admin-world.ts';
import { startHub, type TestHub } from '../kit/hub.ts';

/*
 * Every screen and every state of it: nothing wider than the window, nothing that jumps, nothing that axe finds, nothing refused by the
 * policy, and no word that is neither of the language nor of the data. Both widths, both looks, both languages; all eight combinations
 * are looked at in admin-screens.long.ts.
 */

let hub: TestHub;
let browser: Browser;
let world: AdminWorld;

beforeAll(async () => {
  [hub, browser] = await Promise.all([startHub(), openChromium()]);
  world = await busyWorld(hub);
}, 300_000);
afterAll(async () => {
  await browser.close();
  await hub.stop();
}, 60_000);

const views = [
  { width: 1440, height: 900, colorScheme: 'light', language: 'vi' },
  { width: 390, height: 844, colorScheme: 'dark', language: 'en' },
] as const;

test('every screen on a wide light one in Vietnamese and on a phone, dark, in English: whole, still, readable for all, nothing refused', async () => {
  const screens = [...everyScreen(world), ...everyState(world)];
  const found = await Promise.all(
    views.map(async ({ width, height, ...look }) => {
      const onlooker = new Onlooker(browser, hub, { viewport: { width, height }, ...look });
      const problems: string[] = [];
      for (const screen of screens) problems.push(...(await onlooker.look(screen)));
      await onlooker.leave();
      return problems;
    }),
  );
  expect(found).toEqual(views.map(() => []));
}, 400_000);

test('the pages before the admin, from the first log-in to the second factor', async () => {
  const onlooker = new Onlooker(browser, hub, { viewport: { width: 390, height: 844 }, colorScheme: 'dark' });
  expect(await onlooker.lookAtDoor(await newcomer(hub))).toEqual([]);
}, 120_000);
