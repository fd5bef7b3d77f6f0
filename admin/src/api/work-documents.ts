import { runRow } from './documents.ts';
import type { RunAct } from './mutations.ts';

/* What the admin asks of runs and of files that come in. */

const refused = 'error { code message field reason }';

function runAct(name: string): string {
  return `mutation ${name[0]?.toUpperCase() ?? ''}${name.slice(1)}($input: RunInput!) {
    done: ${name}(input: $input) { ok { record: run { id version } } ${refused} } }`;
}

export const runDocuments = {
  Queues: 'query Queues { queues { name waiting leased oldest poison backend reachable seenAt } }',
  Settings: 'query Settings { settings { name meaning value secret origin } }',
  Run: `query Run($id: ID!) { record: run(id: $id) { ${runRow} } }`,
} as const;

export const workDocuments = {
  Import: `query Import($id: ID!) { record: import(id: $id) { id version kind fileName state columns { heading column } separator communeList
    planned { added changed unchanged waiting refused total } refusedRows { line field reason message }
    refusal { code reason field message } run { ${runRow} } refusedFile { expiresAt } } }`,
  RefusedFile: 'query RefusedFile($id: ID!) { record: import(id: $id) { id refusedFile { url } } }',
} as const;

export const exportDocuments = {
  Export: 'query ExportFile($id: ID!) { record: export(id: $id) { id file { url } } }',
  Exports: `query Exports($first: Int, $after: String) { page: exports(first: $first, after: $after) { nodes { ${runRow} } } }`,
} as const;

export const runMutations = {
  PauseRun: runAct('pauseRun'),
  ResumeRun: runAct('resumeRun'),
  CancelRun: runAct('cancelRun'),
  RerunFailed: runAct('rerunFailed'),
  DropFailed: runAct('dropFailed'),
} as const;

export const workMutations = {
  StartExport: `mutation StartExport($input: StartExportInput!) {
    done: startExport(input: $input) { ok { record: export { id run { id } } } ${refused} } }`,
  StartImport: `mutation StartImport($input: StartImportInput!) {
    done: startImport(input: $input) { ok { record: import { id version } upload { url expiresAt } } ${refused} } }`,
  ApplyImport: `mutation ApplyImport($input: ApplyImportInput!) {
    done: applyImport(input: $input) { ok { record: import { id version } } ${refused} } }`,
} as const;

export const runActs: Readonly<Record<RunAct, string>> = {
  pause: runMutations.PauseRun,
  resume: runMutations.ResumeRun,
  cancel: runMutations.CancelRun,
  rerunFailed: runMutations.RerunFailed,
  dropFailed: runMutations.DropFailed,
};
