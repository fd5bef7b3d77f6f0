import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { openChromium } from '../kit/admin-browser.ts';
import { everyScreen, everyState, Onlooker } from '../kit/admin-screens.ts';
import { busyWorld, newcomer, type AdminWorld } from '../kit/admin-world.ts';
import { startHub, type TestHub } from '../kit/hub.ts';

/* As admin-screens.e2e.ts, in every width, look and language together. */

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

const sizes = [
  { width: 1440, height: 900 },
  { width: 390, height: 844 },
] as const;
const views = sizes.flatMap((viewport) =>
  (['light', 'dark'] as const).flatMap((colorScheme) =>
    (['vi', 'en'] as const).map((language) => ({ viewport, colorScheme, language })),
  ),
);

test.each(views)(
  'every screen and the pages before them at $viewport.width px, $colorScheme, $language',
  async (look) => {
    const onlooker = new Onlooker(browser, hub, look);
    const found: string[] = [];
    for (const screen of [...everyScreen(world), ...everyState(world)]) found.push(...(await onlooker.look(screen)));
    found.push(...(await onlooker.lookAtDoor(await newcomer(hub))));
    await onlooker.leave();
    expect(found).toEqual([]);
  },
  600_000,
);
