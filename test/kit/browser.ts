import type { FastifyInstance, LightMyRequestResponse } from 'fastify';

/** What a browser does with cookies, redirects and plain forms, without one; every request says its page is `origin`. */
export class Browser {
  readonly #app: FastifyInstance;
  readonly #origin: string;
  readonly #cookies = new Map<string, { readonly value: string; readonly path: string; readonly line: string }>();
  /** Path and query of the page shown last. */
  at = '';

  constructor(app: FastifyInstance, origin: string) {
    this.#app = app;
    this.#origin = origin;
  }

  async get(url: string): Promise<LightMyRequestResponse> {
    return await this.#follow(await this.#send('GET', url));
  }

  async submit(fields: Readonly<Record<string, string>>): Promise<LightMyRequestResponse> {
    const headers = { 'content-type': 'application/x-www-form-urlencoded', origin: this.#origin };
    return await this.#follow(await this.#send('POST', this.at, headers, new URLSearchParams(fields).toString()));
  }

  async post(url: string, headers: Readonly<Record<string, string>> = {}, payload = ''): Promise<LightMyRequestResponse> {
    return await this.#send('POST', url, { origin: this.#origin, ...headers }, payload);
  }

  /** One request, its redirect not followed. */
  async step(url: string): Promise<LightMyRequestResponse> {
    return await this.#send('GET', url);
  }

  /** Names of cookies with the line that set them. */
  cookies(): ReadonlyMap<string, string> {
    return new Map([...this.#cookies].map(([name, { line }]) => [name, line]));
  }

  /** The header that another page's request would carry. */
  cookieHeader(path = '/'): string {
    const sent = [...this.#cookies].filter(([, cookie]) => path.startsWith(cookie.path));
    return sent.map(([name, { value }]) => `${name}=${value}`).join('; ');
  }

  async #follow(first: LightMyRequestResponse): Promise<LightMyRequestResponse> {
    let answer = first;
    for (let hops = 0; answer.statusCode >= 300 && answer.statusCode < 400; hops++) {
      if (hops > 10) throw new Error('too many redirects');
      answer = await this.#send('GET', String(answer.headers.location));
    }
    return answer;
  }

  async #send(
    method: 'GET' | 'POST',
    url: string,
    headers: Readonly<Record<string, string>> = {},
    payload?: string,
  ): Promise<LightMyRequestResponse> {
    const target = new URL(url, this.#origin);
    if (target.origin !== this.#origin) throw new Error(`sent to ${target.origin}`);
    const path = `${target.pathname}${target.search}`;
    const cookie = this.cookieHeader(target.pathname);
    const answer = await this.#app.inject({
      method,
      url: path,
      headers: { host: target.host, ...(cookie === '' ? {} : { cookie }), ...headers },
      ...(payload === undefined ? {} : { payload }),
    });
    const set = answer.headers['set-cookie'] ?? [];
    for (const line of Array.isArray(set) ? set : [set]) this.#keep(line, target.pathname);
    this.at = path;
    return answer;
  }

  #keep(line: string, requested: string): void {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
    const name = pair.slice(0, pair.indexOf('='));
    const value = pair.slice(name.length + 1);
    const attribute = (key: string): string | undefined =>
      attributes.find((one) => one.toLowerCase().startsWith(`${key}=`))?.slice(key.length + 1);
    const ended = attribute('max-age') === '0' || new Date(attribute('expires') ?? '2999-01-01') < new Date();
    if (ended) this.#cookies.delete(name);
    else this.#cookies.set(name, { value, path: attribute('path') ?? requested, line });
  }
}
