import { randomBytes } from 'node:crypto';

/*
 * Pages that the server writes itself (log-in, and what tells that one ended): they work without JavaScript and load nothing. Each
 * says everything in Vietnamese, and beside it, smaller, in English.
 */

export interface PlainPage {
  readonly title: Wording;
  /** Markup; whatever came from outside went through {@link escaped}. */
  readonly body: string;
}

interface Wording {
  readonly vi: string;
  readonly en: string;
}

interface RenderedPage {
  readonly html: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The page with a style of its own nonce and the headers that go with it. */
export function renderPage({ title, body }: PlainPage): RenderedPage {
  const nonce = randomBytes(16).toString('base64');
  const policy = [
    "default-src 'none'",
    "script-src 'none'",
    `style-src 'nonce-${nonce}'`,
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ];
  return {
    html: `<!doctype html>
<html lang="vi">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(title.vi)} · Liên Thông</title>
<style nonce="${nonce}">${style}</style>
</head>
<body>
<main>
<p class="hub">Liên Thông</p>
<h1>${escaped(title.vi)} <span lang="en">${escaped(title.en)}</span></h1>
${body}
</main>
</body>
</html>
`,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': policy.join('; '),
      // Not `no-referrer`: under it browsers send a form with `Origin: null`, which is refused as foreign.
      'referrer-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
    },
  };
}

/** A sentence in both languages. */
export function inBoth({ vi, en }: Wording): string {
  return `${escaped(vi)} <span lang="en">${escaped(en)}</span>`;
}

export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (letter) => `&#${String(letter.charCodeAt(0))};`);
}

const style = `
:root { --page: #f4f6f8; --card: #fff; --text: #1b2733; --quiet: #56636f; --line: #8a96a3; --main: #14606e; --on-main: #fff; --wrong: #a4161a; --wrong-page: #fdecec; }
@media (prefers-color-scheme: dark) {
  :root { --page: #12181f; --card: #1b232c; --text: #e8edf2; --quiet: #a9b5c1; --line: #6f7d8b; --main: #6fc6d4; --on-main: #0b2328; --wrong: #ffb3b3; --wrong-page: #3a1d1f; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
main { max-width: 26rem; margin: 0 auto; padding: 2.5rem 1.5rem; background: var(--card); }
@media (min-width: 30rem) { main { margin: 10vh auto 2rem; border-radius: .5rem; padding: 2.5rem; } }
.hub { margin: 0 0 .25rem; color: var(--quiet); }
h1 { margin: 0 0 1.5rem; font-size: 1.5rem; line-height: 1.25; }
[lang=en] { color: var(--quiet); font-size: .875rem; font-weight: 400; }
h1 > [lang=en], p > [lang=en] { display: block; }
label { display: block; margin: 1rem 0 .25rem; }
details { margin-top: 1.5rem; }
summary { cursor: pointer; }
.choice { margin: .5rem 0 0; }
.choice input { width: auto; margin-right: .25rem; }
.picture svg { display: block; width: 12rem; margin: 1rem auto; }
.key { text-align: center; overflow-wrap: anywhere; }
input { width: 100%; padding: .6rem .75rem; font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: .25rem; }
button { margin-top: 1.5rem; width: 100%; padding: .7rem; font: inherit; font-weight: 600; color: var(--on-main); background: var(--main); border: 0; border-radius: .25rem; cursor: pointer; }
button [lang=en] { color: inherit; }
:focus-visible { outline: 3px solid var(--main); outline-offset: 2px; }
.other { margin: 1.5rem 0 0; }
.other a { display: block; padding: .65rem; text-align: center; font-weight: 600; text-decoration: none; border: 1px solid var(--main); border-radius: .25rem; }
.other a > [lang=en] { display: block; }
.wrong { margin: 0 0 1rem; padding: .75rem; color: var(--wrong); background: var(--wrong-page); border-radius: .25rem; }
.wrong [lang=en] { color: inherit; }
a { color: var(--main); }
`;
