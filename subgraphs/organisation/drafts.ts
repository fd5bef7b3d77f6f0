import { draftLimits, type DraftSource, type KeptDraft } from '#kernel/auth/drafts.ts';
import type { OrganisationDatabase } from './database.ts';
import type { Sealed } from './sealed.ts';
import { sessionLives } from './sessions.ts';

const inTime = `d.saved_at > clock_timestamp() - make_interval(hours => ${String(draftLimits.hours)})`;
/** Condition on a draft `d` and its account `a`: what ends the sessions of an account ends its drafts. */
const draftLives = `${inTime} and a.disabled_at is null and (a.not_before is null or a.not_before <= d.saved_at)`;
/** The account of a live session; held until the commit, so that a log-out at that moment finds the draft or prevents it. */
const ownerText = `select a.id::text as id from organisation.session s join organisation.account a on a.id = s.account_id
  where s.key = $1 and ${sessionLives}`;

interface DraftRow {
  readonly place: string;
  readonly sealed: string;
  readonly savedAt: Date;
}

/** Drafts of the admin's forms, each sealed for its account and its place. */
export class Drafts implements DraftSource {
  readonly #database: OrganisationDatabase;
  readonly #sealed: Sealed;

  constructor(database: OrganisationDatabase, sealed: Sealed) {
    this.#database = database;
    this.#sealed = sealed;
  }

  async list(key: string): Promise<readonly KeptDraft[] | null> {
    return await this.#database.read(async (sql) => {
      const [owner] = await sql.rows<{ readonly id: string }>(ownerText, [key]);
      if (owner === undefined) return null;
      const rows = await sql.rows<DraftRow>(
        `select d.place, d.sealed, d.saved_at as "savedAt" from organisation.draft d join organisation.account a on a.id = d.account_id
          where d.account_id = $1 and ${draftLives} order by d.saved_at desc limit ${String(draftLimits.perAccount)}`,
        [owner.id],
      );
      return rows.map(({ place, sealed, savedAt }) => ({
        place,
        draft: this.#sealed.unseal(`${owner.id} ${place}`, sealed),
        savedAt,
      }));
    });
  }

  async keep(key: string, place: string, draft: string | null): Promise<boolean> {
    return await this.#database.write(async (sql) => {
      const [owner] = await sql.rows<{ readonly id: string }>(`${ownerText} for share of s`, [key]);
      if (owner === undefined) return false;
      if (draft === null) {
        await sql.rows('delete from organisation.draft where account_id = $1 and place = $2', [owner.id, place]);
        return true;
      }
      await sql.rows(
        `insert into organisation.draft (account_id, place, sealed) values ($1, $2, $3)
          on conflict (account_id, place) do update set sealed = excluded.sealed, saved_at = clock_timestamp()`,
        [owner.id, place, this.#sealed.seal(`${owner.id} ${place}`, draft)],
      );
      await sql.rows(
        `delete from organisation.draft where account_id = $1 and place in (
          select place from organisation.draft where account_id = $1 order by saved_at desc offset ${String(draftLimits.perAccount)})`,
        [owner.id],
      );
      return true;
    });
  }

  /** Deletes what has ended; the number of rows. */
  async tidy(): Promise<number> {
    const rows = await this.#database.write((sql) =>
      sql.rows(
        `delete from organisation.draft d using organisation.account a where a.id = d.account_id and not (${draftLives}) returning 1`,
      ),
    );
    return rows.length;
  }
}
