import { beforeEach, expect, jest, test } from '@jest/globals';
import { freshDraft, typed, type Draft } from './draft.ts';
import { DraftStore, type DraftHub, type DraftOutcome } from './draft-store.ts';

const place = 'citizens/1/update';
const read = freshDraft(3, { phone: '0901•••567', email: '' });
const phone = (text: string, at = 1): Draft => typed(read, 'phone', text, at);

/** A hub that answers as told and remembers what it was sent. */
function hub(): DraftHub & { readonly sent: [string, string | null][]; outcome: DraftOutcome; there: Map<string, Draft> | null } {
  const made = {
    sent: [] as [string, string | null][],
    outcome: 'kept' as DraftOutcome,
    there: new Map<string, Draft>() as Map<string, Draft> | null,
    list: () => Promise.resolve(made.there),
    put(where: string, draft: Draft | null): Promise<DraftOutcome> {
      made.sent.push([where, draft?.mine.phone ?? null]);
      return Promise.resolve(made.outcome);
    },
  };
  return made;
}

beforeEach(() => {
  jest.useFakeTimers();
});

test('a draft is sent once the typing rests, and thrown away when nothing of it is left', async () => {
  const there = hub();
  const store = new DraftStore(there);
  for (const text of ['0', '09', '0912345678']) store.keep(place, { ...phone(text), clear: { phone: '0901234567' } });
  expect([there.sent, store.atRisk(), store.stateOf(place)]).toEqual([[], true, null]);
  await jest.advanceTimersByTimeAsync(700);
  expect([there.sent, store.atRisk(), store.stateOf(place)]).toEqual([[[place, '0912345678']], false, 'kept']);
  // What a purpose showed in clear is asked for again, never kept.
  expect(store.at(place)?.clear).toEqual({});
  store.keep(place, phone('0901•••567'));
  expect(store.at(place)).toBeUndefined();
  await jest.advanceTimersByTimeAsync(1);
  expect(there.sent.at(-1)).toEqual([place, null]);
});

test('while the hub is away, the draft stays in the tab, says so, and is sent when it is back', async () => {
  const there = hub();
  there.outcome = 'away';
  const store = new DraftStore(there);
  store.keep(place, phone('1'));
  await jest.advanceTimersByTimeAsync(700);
  expect([store.stateOf(place), store.atRisk()]).toEqual(['away', true]);
  there.outcome = 'kept';
  await jest.advanceTimersByTimeAsync(10_000);
  expect([store.stateOf(place), store.atRisk()]).toEqual(['kept', false]);
});

test('what cannot be kept is not sent again and again, and the tab warns before it closes', async () => {
  const there = hub();
  there.outcome = 'too-large';
  const store = new DraftStore(there);
  store.keep(place, phone('1'));
  await jest.advanceTimersByTimeAsync(60_000);
  expect([there.sent.length, store.stateOf(place), store.atRisk()]).toEqual([1, 'too-large', true]);
});

test('what was typed at another desk comes here; what is being typed here stays', async () => {
  const there = hub();
  const store = new DraftStore(there);
  store.keep(place, phone('mine'));
  there.there = new Map([
    [place, phone('elsewhere')],
    ['cards/new/create', phone('card', 9)],
  ]);
  await store.refresh();
  expect([store.at(place)?.mine.phone, store.places()]).toEqual(['mine', ['cards/new/create', place]]);
  await jest.advanceTimersByTimeAsync(700);
  await store.refresh();
  expect(store.at(place)?.mine.phone).toBe('elsewhere');
  there.there = new Map();
  await store.refresh();
  expect(store.places()).toEqual([]);
  there.there = null; // no answer: nothing is known, nothing goes
  store.keep(place, phone('again'));
  await store.refresh();
  expect(store.at(place)?.mine.phone).toBe('again');
});

test('a page that goes sends what still waits', () => {
  const there = hub();
  const store = new DraftStore(there);
  store.keep(place, phone('1'));
  store.leave();
  expect(there.sent).toEqual([[place, '1']]);
});
