import { deepStrictEqual } from 'node:assert/strict';
import { withDatabase, type Sequence } from './data.ts';
import type { Program } from './programs.ts';
import { bodyOf } from './queries.ts';

interface Card {
  readonly number: string;
  readonly validFrom: string | null;
}
interface Citizen {
  readonly id: string;
  insuranceCards: Card[];
  dateOfBirth: { readonly value: string | null } | null;
  cardInForce: { readonly number: string | null } | null;
}
interface Answer {
  readonly data: {
    readonly citizen?: Citizen | null;
    readonly citizens?: {
      readonly nodes: Citizen[];
      readonly pageInfo: { endCursor: string | null; readonly hasNextPage: boolean };
    };
  };
}

async function ask(program: Program, name: 'Q1' | 'Q2', value: string, client = 0): Promise<Answer> {
  const { before, after } = bodyOf(name, program.spelling);
  const lines = program.headers[client] ?? [];
  const answer = await fetch(program.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...Object.fromEntries(lines.map((line) => line.split(': ') as [string, string])),
    },
    body: `${before}${value}${after}`,
  });
  const text = await answer.text();
  if (!answer.ok || text.includes('"errors"')) throw new Error(`${program.name} ${name}: ${answer.status} ${text.slice(0, 600)}`);
  return JSON.parse(text) as Answer;
}

/** What may differ: the form of cursors, the order of one person's cards, and what is absent as an object of nulls. */
function normalised(answer: Answer): Answer {
  const page = answer.data.citizens;
  const citizens = page?.nodes ?? (answer.data.citizen ? [answer.data.citizen] : []);
  for (const citizen of citizens) {
    citizen.insuranceCards.sort((a, b) => `${a.validFrom ?? ''} ${a.number}`.localeCompare(`${b.validFrom ?? ''} ${b.number}`));
    if (citizen.dateOfBirth?.value === null) citizen.dateOfBirth = null;
    if (citizen.cardInForce?.number === null) citizen.cardInForce = null;
  }
  if (page !== undefined) page.pageInfo.endCursor = page.pageInfo.endCursor === null ? null : 'given';
  return answer;
}

/** All programs give the same data for the beginning of the sequence; throws with the difference. */
export async function compareAnswers(programs: readonly Program[], sequence: Sequence): Promise<number> {
  const [reference, ...others] = programs;
  if (reference === undefined) return 0;
  let compared = 0;
  const questions = [
    ...sequence.numbers.slice(0, 100).map((number) => ({ name: 'Q1' as const, value: () => number })),
    ...sequence.cursors.slice(0, 40).map((id) => ({ name: 'Q2' as const, value: (program: Program) => program.cursor(id) })),
  ];
  for (const { name, value } of questions) {
    const expected = normalised(await ask(reference, name, value(reference)));
    for (const program of others) {
      const found = normalised(await ask(program, name, value(program)));
      deepStrictEqual(found, expected, `${program.name} answers ${name} otherwise than ${reference.name}`);
      compared += 1;
    }
  }
  return compared;
}

/** Each client of another scope gets exactly the page of his own units. */
export async function compareScopes(
  program: Program,
  units: readonly { readonly code: string }[],
  url: string,
  sequence: Sequence,
): Promise<number> {
  return withDatabase(url, async (client) => {
    let compared = 0;
    for (const [nth, { code }] of units.entries()) {
      for (const id of sequence.cursors.slice(nth * 3, nth * 3 + 3)) {
        const { rows } = await client.query<{ id: string }>(
          `with recursive below as (select number from hub.unit where code = $1 and valid_to is null
             union all select u.number from hub.unit u join below b on u.parent_number = b.number)
           select c.id from citizens.citizen c where c.unit_no in (select number from below) and c.id > $2 and c.life_status <> 'MERGED'
           order by c.id limit 20`,
          [code, id],
        );
        const answer = await ask(program, 'Q2', program.cursor(id), nth);
        deepStrictEqual(
          answer.data.citizens?.nodes.map((node) => node.id),
          rows.map((row) => row.id),
          `a page of ${code}`,
        );
        compared += 1;
      }
    }
    return compared;
  });
}
