import type { FastifyInstance } from 'fastify';

export interface PageAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, number | string | string[] | undefined>>;
  readonly body: string;
  json(): unknown;
}

interface PageRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload?: string;
}

/** Sends one request and follows nothing. */
type Send = (request: PageRequest) => Promise<PageAnswer>;

export function into(app: FastifyInstance): Send {
  return async (request) => await app.inject(request);
}

export function over(address: string): Send {
  return async ({ method, url, headers, payload }) => {
    // The connection names the host itself.
    const { host: _host, ...others } = headers;
    const answer = await fetch(new URL(url, address), {
      method,
      headers: others,
      redirect: 'manual',
      ...(payload === undefined ? {} : { body: payload }),
    });
    const body = await answer.text();
    const given = { ...Object.fromEntries(answer.headers), 'set-cookie': answer.headers.getSetCookie() };
    return { statusCode: answer.status, headers: given, body, json: (): unknown => JSON.parse(body) };
  };
}

/** What a browser does with cookies, redirects and plain forms, without one; every request says its page is `origin`. */
export class Browser {
  readonly #sender: Send;
  readonly #origin: string;
  readonly #cookies = new Map<string, { readonly value: string; readonly path: string; readonly line: string }>();
  /** Path and query of the page shown last. */
  at = '';

  constructor(send: Send, origin: string) {
    this.#sender = send;
    this.#origin = origin;
  }

  async get(url: string): Promise<PageAnswer> {
    return await this.#follow(await this.#send('GET', url));
  }

  async submit(fields: Readonly<Record<string, string>>): Promise<PageAnswer> {
    const headers = { 'content-type': 'application/x-www-form-urlencoded', origin: this.#origin };
    return await this.#follow(await this.#send('POST', this.at, headers, new URLSearchParams(fields).toString()));
  }

  async post(url: string, headers: Readonly<Record<string, string>> = {}, payload = ''): Promise<PageAnswer> {
    return await this.#send('POST', url, { origin: this.#origin, ...headers }, payload);
  }

  async put(url: string, headers: Readonly<Record<string, string>> = {}, payload = ''): Promise<PageAnswer> {
    return await this.#send('PUT', url, { origin: this.#origin, ...headers }, payload);
  }

  /** One request, its redirect not followed. */
  async step(url: string): Promise<PageAnswer> {
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

  async #follow(first: PageAnswer): Promise<PageAnswer> {
    let answer = first;
    for (let hops = 0; answer.statusCode >= 300 && answer.statusCode < 400; hops++) {
      if (hops > 10) throw new Error('too many redirects');
      answer = await this.#send('GET', String(answer.headers.location));
    }
    return answer;
  }

  async #send(
    method: PageRequest['method'],
    url: string,
    headers: Readonly<Record<string, string>> = {},
    payload?: string,
  ): Promise<PageAnswer> {
    const target = new URL(url, this.#origin);
    if (target.origin !== this.#origin) throw new Error(`sent to ${target.origin}`);
    const path = `${target.pathname}${target.search}`;
    const cookie = this.cookieHeader(target.pathname);
    const answer = await this.#sender({
      method,
      url: path,
      headers: { host: target.host, ...(cookie === '' ? {} : { cookie }), ...headers },
      ...(payload === undefined ? {} : { payload }),
    });
    const set = answer.headers['set-cookie'] ?? [];
    for (const line of [set].flat()) this.#keep(String(line), target.pathname);
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
