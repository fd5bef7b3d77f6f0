import { createTheme, type Theme } from '@mui/material/styles';

/*
 * Every measure and colour of the admin. Components hold none: they use the names below, as custom properties (`var(--ink)`)
 * in styles and through the theme in the framework's own widgets.
 *
 * Contrast, reckoned against surface and ground in both looks: text ≥ 4.5, marks and edges of controls ≥ 3.
 */

export type Look = 'light' | 'dark';

const colours = {
  light: {
    ground: '#f4f5f6',
    surface: '#ffffff',
    raised: '#eceef0',
    ink: '#1b2125',
    muted: '#56616a',
    line: '#d9dde1',
    edge: '#79848d',
    accent: '#14606e',
    accentInk: '#ffffff',
    accentSoft: '#e0eef0',
    good: '#1a7444',
    stated: '#8a5a00',
    missing: '#5f6b75',
    wrong: '#b3261e',
    wrongInk: '#ffffff',
    wrongSoft: '#fbe9e7',
    mark: '#ffe9a8',
    plot1: '#14606e',
    plot2: '#8a5a00',
    plot3: '#a9b3bb',
    shadow: 'rgb(20 30 40 / 16%)',
  },
  dark: {
    ground: '#121618',
    surface: '#1a1f22',
    raised: '#252c30',
    ink: '#e7ebed',
    muted: '#a5b0b8',
    line: '#333c42',
    edge: '#7d8992',
    accent: '#6fc6d4',
    accentInk: '#0b2328',
    accentSoft: '#1b3a41',
    good: '#5fca8e',
    stated: '#e0ad4a',
    missing: '#9aa6af',
    wrong: '#ff8f82',
    wrongInk: '#2b0d0a',
    wrongSoft: '#3d2220',
    mark: '#5b4a12',
    plot1: '#6fc6d4',
    plot2: '#e0ad4a',
    plot3: '#5a6670',
    shadow: 'rgb(0 0 0 / 48%)',
  },
} as const satisfies Record<Look, Readonly<Record<string, string>>>;

const measures = {
  family: "'Be Vietnam Pro', system-ui, sans-serif",
  /** Text, tables, titles, small print; stacked tones (ấ ễ ộ) need the line height. */
  text: '14px',
  table: '13px',
  title: '20px',
  heading: '16px',
  small: '12px',
  leading: '1.5',
  regular: '400',
  medium: '500',
  strong: '600',
  /** All distances are whole steps. */
  step: '4px',
  row: '36px',
  touchRow: '44px',
  content: '1280px',
  places: '216px',
  placesFolded: '56px',
  radius: '6px',
  hair: '1px',
  focus: '2px',
  quick: '120ms',
} as const;

/** The custom properties of one look. */
export function customProperties(look: Look): Readonly<Record<`--${string}`, string>> {
  return Object.fromEntries(
    Object.entries({ ...measures, ...colours[look] }).map(([name, value]) => [`--${kebab(name)}`, value]),
  );
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** The same values for the framework's widgets. */
export function widgetTheme(look: Look): Theme {
  const c = colours[look];
  return createTheme({
    palette: {
      mode: look,
      primary: { main: c.accent, contrastText: c.accentInk },
      error: { main: c.wrong, contrastText: c.wrongInk },
      warning: { main: c.stated },
      success: { main: c.good },
      background: { default: c.ground, paper: c.surface },
      text: { primary: c.ink, secondary: c.muted },
      divider: c.line,
    },
    spacing: 4,
    shape: { borderRadius: 6 },
    typography: {
      fontFamily: measures.family,
      fontSize: 14,
      fontWeightRegular: 400,
      fontWeightMedium: 500,
      fontWeightBold: 600,
      button: { textTransform: 'none', fontWeight: 500, letterSpacing: 0 },
    },
    transitions: { create: () => 'none' },
    components: {
      MuiButtonBase: { defaultProps: { disableRipple: true } },
      MuiButton: { defaultProps: { disableElevation: true } },
      MuiTextField: { defaultProps: { size: 'small', variant: 'outlined' } },
      MuiTooltip: {
        defaultProps: { enterDelay: 300, disableInteractive: true },
        styleOverrides: { tooltip: { fontSize: measures.small, backgroundColor: c.ink, color: c.surface } },
      },
    },
  });
}
