import GlobalStyles from '@mui/material/GlobalStyles';
import { ThemeProvider } from '@mui/material/styles';
import { QueryClient } from '@tanstack/react-query';
import { lazy, useMemo, type FunctionComponent, type ReactNode } from 'react';
import { CoreAdminContext, CoreAdminUI, memoryStore, Resource, type I18nProvider } from 'react-admin';
import { authProvider } from './api/auth-provider.ts';
import { hubDataProvider } from './api/data-provider.ts';
import { GraphRefusal } from './api/graph.ts';
import { Denied, GoingToLogIn, Loading, NoPage, Crash } from './shell/states.tsx';
import { vi } from './i18n/vi.ts';
import { Layout } from './shell/layout.tsx';
import { useLook } from './shell/use-preferences.ts';
import { customProperties, widgetTheme } from './theme.ts';

/** A screen that is fetched when it is first opened. */
function later<Name extends string>(load: () => Promise<Record<Name, FunctionComponent>>, name: Name): FunctionComponent {
  return lazy(async () => ({ default: (await load())[name] as FunctionComponent }));
}

const Dashboard = later(() => import('./dashboard/dashboard.tsx'), 'Dashboard');
const CitizenList = later(() => import('./citizens/citizen-list.tsx'), 'CitizenList');
const CitizenPage = later(() => import('./citizens/citizen-page.tsx'), 'CitizenPage');
const CitizenForm = later(() => import('./citizens/citizen-form.tsx'), 'CitizenForm');
const NewCitizen = later(() => import('./citizens/citizen-form.tsx'), 'NewCitizen');
const CardForm = later(() => import('./cards/card-form.tsx'), 'CardForm');
const CardList = later(() => import('./cards/cards.tsx'), 'CardList');
const CardPage = later(() => import('./cards/cards.tsx'), 'CardPage');
const ResultList = later(() => import('./results/results.tsx'), 'ResultList');
const ResultPage = later(() => import('./results/results.tsx'), 'ResultPage');
const ReferralList = later(() => import('./slips/referrals.tsx'), 'ReferralList');
const ReferralPage = later(() => import('./slips/referrals.tsx'), 'ReferralPage');
const ReexaminationList = later(() => import('./slips/reexaminations.tsx'), 'ReexaminationList');
const ReexaminationPage = later(() => import('./slips/reexaminations.tsx'), 'ReexaminationPage');
const DiscrepancyList = later(() => import('./discrepancies/discrepancy-list.tsx'), 'DiscrepancyList');
const WorkList = later(() => import('./work/work-list.tsx'), 'WorkList');
const RunList = later(() => import('./runs/runs.tsx'), 'RunList');
const ImportList = later(() => import('./runs/runs.tsx'), 'ImportList');
const ResultForm = later(() => import('./results/result-form.tsx'), 'ResultForm');
const ReferralForm = later(() => import('./slips/slip-form.tsx'), 'ReferralForm');
const ReexaminationForm = later(() => import('./slips/slip-form.tsx'), 'ReexaminationForm');
const RunPage = later(() => import('./runs/run-page.tsx'), 'RunPage');
const ImportPage = later(() => import('./imports/import-page.tsx'), 'ImportPage');
const UnitTree = later(() => import('./units/unit-tree.tsx'), 'UnitTree');
const UnitPage = later(() => import('./units/unit-page.tsx'), 'UnitPage');
const UnitForm = later(() => import('./units/unit-form.tsx'), 'UnitForm');
const Queues = later(() => import('./queues/queues.tsx'), 'Queues');
const Settings = later(() => import('./settings/settings.tsx'), 'Settings');
const AccountList = later(() => import('./accounts/accounts.tsx'), 'AccountList');
const AccountPage = later(() => import('./accounts/accounts.tsx'), 'AccountPage');
const AccountForm = later(() => import('./accounts/account-form.tsx'), 'AccountForm');
const ClientList = later(() => import('./clients/clients.tsx'), 'ClientList');
const AuditList = later(() => import('./audit/audit-list.tsx'), 'AuditList');

/** A refusal stays one however often it is asked; only what is busy or away is asked again. */
function retry(failures: number, error: unknown): boolean {
  const lasting = error instanceof GraphRefusal && error.status < 500 && error.status !== 429;
  return !lasting && failures < 2;
}

const queryClient = new QueryClient({
  defaultOptions: { queries: { retry, staleTime: 15_000, refetchOnWindowFocus: false } },
});
const dataProvider = hubDataProvider();
// Nothing of a person may lie in the browser's storage: what lists remember is gone with the tab.
const store = memoryStore();

export function App({ i18n }: { readonly i18n: I18nProvider }): ReactNode {
  const look = useLook();
  const theme = useMemo(() => widgetTheme(look), [look]);
  const root = useMemo(() => ({ ':root': { ...customProperties(look), colorScheme: look } }), [look]);
  return (
    <ThemeProvider theme={theme}>
      <GlobalStyles styles={root} />
      <CoreAdminContext
        authProvider={authProvider}
        dataProvider={dataProvider}
        i18nProvider={i18n}
        queryClient={queryClient}
        store={store}
      >
        <CoreAdminUI
          layout={Layout}
          dashboard={Dashboard}
          catchAll={NoPage}
          loading={Loading}
          loginPage={GoingToLogIn}
          accessDenied={Denied}
          error={Crash}
          requireAuth
          disableTelemetry
          title={vi.app.name}
        >
          <Resource name="citizens" list={CitizenList} show={CitizenPage} edit={CitizenForm} create={NewCitizen} />
          <Resource name="cards" list={CardList} show={CardPage} edit={CardForm} create={CardForm} />
          <Resource name="results" list={ResultList} show={ResultPage} edit={ResultForm} create={ResultForm} />
          <Resource name="referrals" list={ReferralList} show={ReferralPage} edit={ReferralForm} create={ReferralForm} />
          <Resource
            name="reexaminations"
            list={ReexaminationList}
            show={ReexaminationPage}
            edit={ReexaminationForm}
            create={ReexaminationForm}
          />
          <Resource name="discrepancies" list={DiscrepancyList} />
          <Resource name="work" list={WorkList} />
          <Resource name="runs" list={RunList} show={RunPage} />
          <Resource name="imports" list={ImportList} show={ImportPage} />
          <Resource name="units" list={UnitTree} show={UnitPage} edit={UnitForm} create={UnitForm} />
          <Resource name="queues" list={Queues} />
          <Resource name="settings" list={Settings} />
          <Resource name="accounts" list={AccountList} show={AccountPage} edit={AccountForm} create={AccountForm} />
          <Resource name="clients" list={ClientList} />
          <Resource name="audit" list={AuditList} />
        </CoreAdminUI>
      </CoreAdminContext>
    </ThemeProvider>
  );
}
