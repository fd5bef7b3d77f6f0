/** Rights that a screen asks for before it offers to change something; the hub decides again. */
export type Permission =
  | 'citizen:write'
  | 'card:write'
  | 'result:write'
  | 'slip:enter'
  | 'discrepancy:settle'
  | 'run:start'
  | 'import:send'
  | 'export:start'
  | 'unit:write'
  | 'account:write'
  | 'client:write';
