import type { Gender } from '#kernel/domain/gender.ts';
import type { PlainDate } from '#kernel/domain/plain-date.ts';
import type { PlaceList } from '#kernel/places/index.ts';

/* People and places as the population database speaks of them, in our words. */

export interface PopulationPlace {
  /** House, street, hamlet; or the whole place where no code is given. */
  readonly detail: string | null;
  /** Commune; `list` says of which version its code is. */
  readonly code: string | null;
  readonly list: PlaceList | null;
  readonly provinceCode: string | null;
}

/** A person as one side states him. `null`: that side has no value. */
export interface PopulationPerson {
  readonly personalId: string | null;
  readonly oldIdNumber: string | null;
  readonly fullName: string;
  /** To whatever it is known: year, or day. */
  readonly dateOfBirth: PlainDate | null;
  readonly gender: Gender | null;
  readonly birthplace: PopulationPlace | null;
  readonly nativePlace: PopulationPlace | null;
  readonly permanentAddress: PopulationPlace | null;
}

/** Whom we ask about: the key is his number. */
export type StatedPerson = PopulationPerson & { readonly personalId: string };

/** Every call names a person, his unit and the procedure for which the data are asked. */
export interface Asker {
  /** Code of the officer (MaCanBo). */
  readonly officer: string;
  /** Account at the hub under which it is asked (TaiKhoan). */
  readonly account: string;
  /** Code of the unit (MaDonVi). */
  readonly unit: string;
  /** Code of the administrative procedure (MaDVC). */
  readonly procedure: string;
}

export type PopulationAnswer =
  /** Everything that was stated agrees; nothing came over. */
  | { readonly kind: 'match'; readonly asOf: Date | null }
  /** Something differs: their values, to compare and to offer. */
  | { readonly kind: 'record'; readonly asOf: Date | null; readonly person: PopulationPerson }
  | { readonly kind: 'unknown-person'; readonly asOf: Date | null };

export interface PopulationQuestion {
  readonly person: StatedPerson;
  readonly asker: Asker;
  /** Names this question for ever (a UUID): the same question after a crash carries the same. */
  readonly key: string;
  readonly signal?: AbortSignal;
}

/** The national population database (cơ sở dữ liệu quốc gia về dân cư). */
export interface PopulationDatabase {
  /**
   * Asks for a yes or no first, and for their record only after a no. Rejects with {@link SystemBusy} or {@link SystemRefused}, and
   * with the reason of `signal`.
   */
  ask(question: PopulationQuestion): Promise<PopulationAnswer>;
  /** Milliseconds for which asking makes no sense; 0: ask. */
  waits(): number;
  close(): Promise<void>;
}
