import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import { useDataProvider } from 'react-admin';
import type { HubDataProvider } from '../api/data-provider.ts';
import type { Asked } from '../api/graph.ts';

/** The framework files the rows of lists as if they were whole records; asked with this, a record is asked from the hub. */
export const wholeRecord = { whole: true } as const;

export function useHub(): HubDataProvider {
  return useDataProvider<HubDataProvider>();
}

/**
 * Asks the hub for what the framework has no word for. Cancelled when nobody waits for it any more; what was there stays on the screen
 * while it is asked again.
 */
export function useAsk<Data>(
  key: readonly unknown[],
  ask: (hub: HubDataProvider, asked: Asked) => Promise<Data>,
  options: {
    readonly enabled?: boolean;
    readonly every?: number | ((data: Data | undefined) => number);
    readonly keep?: boolean;
    /** Not asked again for so long, milliseconds: what is dear to count and changes slowly. */
    readonly fresh?: number;
  } = {},
): UseQueryResult<Data> {
  const hub = useHub();
  const { every } = options;
  return useQuery<Data>({
    queryKey: ['hub', ...key],
    queryFn: ({ signal }) => ask(hub, { signal }),
    enabled: options.enabled ?? true,
    ...(options.fresh !== undefined && { staleTime: options.fresh }),
    ...((options.keep === true && { placeholderData: (before: Data | undefined) => before }) as object),
    ...(every !== undefined && {
      refetchInterval:
        typeof every === 'number' ? every : ({ state }: { state: { data: Data | undefined } }) => every(state.data),
    }),
  });
}
