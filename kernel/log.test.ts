import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { HubError } from './errors/hub-error.ts';
import { logTo, safeWord } from './log.ts';

function lines(write: (log: ReturnType<typeof logTo>) => void): string[] {
  const out: string[] = [];
  write(logTo((line) => out.push(line)));
  return out;
}

test('a line holds the event and the fields of the list, and nothing else', () => {
  const given = { traceId: '0af7651916cd43dd8448eb211c80319c', operation: 'Q1', subjects: 20, status: 200 };
  // What a careless caller might pass beside them: a type would refuse it, a cast would not.
  const careless = { ...given, variables: { n: '038090000001' }, fullName: 'Nguyễn Văn An', personalId: '038090000001' };
  const [line] = lines((log) => log.info('request', careless));
  const { time, level, process, pid, ...rest } = JSON.parse(line!) as Record<string, unknown>;
  expect(rest).toEqual({ msg: 'request', ...given });
  expect([level, process, pid]).toEqual([30, 'test', undefined]);
  expect(time).toMatch(/^\d{4}-\d\d-\d\dT/);
});

test('line feeds, colours and reading marks become text on one line [A42]', () => {
  const hostile = 'x\r\n{"level":60,"msg":"forged"}\u001b[31m\u2028\u202e\u0085';
  const [line, ...more] = lines((log) => log.info('request', { operation: hostile }));
  expect(more).toEqual([]);
  expect(line!.trimEnd()).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e]/);
  expect((JSON.parse(line!) as { msg: string }).msg).toBe('request');
});

test('whatever text is passed, it stays one JSON line of printable signs without a long number', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 400 }), fc.integer({ min: 100_000_000, max: 2 ** 31 }), (text, number) => {
      const [line, ...more] = lines((log) => log.warn(text, { operation: `${text}${number}`, role: text, reason: text }));
      expect(more).toEqual([]);
      expect(line!.trimEnd()).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e]/);
      const parsed = JSON.parse(line!) as Record<string, string>;
      expect(parsed.operation).not.toMatch(/\d{9}/);
      expect(safeWord(text).length).toBeLessThanOrEqual(6 * 201);
    }),
  );
});

test('a trace id that is none is dropped', () => {
  const [line] = lines((log) => log.info('request', { traceId: 'Nguyễn Văn An' }));
  expect(line).not.toContain('traceId');
});

test('of an error its class, code, reason and places remain, never its message', () => {
  const cause = Object.assign(new Error('Key (personal_id)=(038090000001) already exists.'), { code: '23505' });
  const [line] = lines((log) => log.error('write.failed', {}, new HubError('INTERNAL', 'INTERNAL', { cause })));
  expect(line).not.toContain('038090000001');
  expect(line).not.toContain('already exists');
  const { errors } = JSON.parse(line!) as { errors: { error: string; code?: string; reason?: string; at: string[] }[] };
  expect(errors.map(({ error, code, reason }) => [error, code, reason])).toEqual([
    ['HubError', 'INTERNAL', 'INTERNAL'],
    ['Error', '23505', undefined],
  ]);
  expect(errors[0]!.at[0]).toMatch(/log\.test/);
});

test('a value thrown that is no error leaves only its type', () => {
  const [line] = lines((log) => log.error('failed', {}, 'Nguyễn Văn An'));
  expect(JSON.parse(line!)).toMatchObject({ errors: [{ error: 'string' }] });
});
