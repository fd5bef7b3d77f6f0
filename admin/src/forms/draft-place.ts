/** Where a draft stands: kind and id of the record, and what is done to it. It goes to the hub, never into an address. */
export function draftPlace(resource: string, id: string | null, act: string): string {
  return `${resource}/${id ?? 'new'}/${act}`;
}
