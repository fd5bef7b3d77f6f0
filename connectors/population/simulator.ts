/*
 * A server that speaks as the national population database does, and misbehaves on command. For development and tests; a process of its
 * own, so that it can be slow, silent and dead like a system of somebody else. Faults are switched on a second port, the control port:
 *
 *   PUT /behaviour   { "mode": "slow", "slowDelay": 30000, … }    all fields: simulated-behaviour.ts
 *   GET /calls       { "count", "busiestSecond", "calls": [ … ] }  ·  DELETE /calls
 *   POST /people     { "personalId", "elements": { "Ten": "…" } }  from now on the database says otherwise
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { Random } from '#kernel/synthetic/random.ts';
import { signatureOf } from './client.ts';
import { behaviourSchema, busiestSecond, callLog, wellBehaved, type Behaviour, type CallNote } from './simulated-behaviour.ts';
import { simulatedPeople, type WrittenAt, type WrittenPerson } from './simulated-people.ts';

export interface SimulatorOptions {
  readonly seed: number;
  /** Where base day and generated provinces are noted. */
  readonly dataDir: string;
  readonly port?: number;
  readonly controlPort?: number;
  readonly user: string;
  readonly secret: string;
}

export interface Simulator {
  readonly url: string;
  readonly controlUrl: string;
  behave(behaviour: Partial<Behaviour>): Promise<void>;
  calls(): readonly CallNote[];
  stop(): Promise<void>;
}

const answerNamespace = 'http://www.mic.gov.vn/dancu/1.0';
const correctionSchema = z.strictObject({
  personalId: z.string().regex(/^\d{12}$/),
  forget: z.boolean().optional(),
  elements: z.partialRecord(z.enum(['SoCMND', 'Ten', 'Nam', 'NgayThangNam', 'GioiTinh']), z.string()).optional(),
});

export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const people = await simulatedPeople(options);
  const log = callLog();
  let behaviour = wellBehaved;
  let hit = 0;
  let calls = 0;
  let random = new Random(behaviour.seed, 'fault', 0);
  let recent: number[] = [];
  let listening: Server | null = null;
  let port = options.port ?? 0;
  /** The body of the answer before, for `foreign`. */
  let before = '';

  /** Whether this call is one of those that go wrong. */
  function struck(): boolean {
    if (behaviour.mode === 'well' || (behaviour.count > 0 && hit >= behaviour.count) || !random.chance(behaviour.share))
      return false;
    hit += 1;
    return true;
  }

  function overLimit(): boolean {
    if (behaviour.callsPerSecond === 0) return false;
    const now = performance.now();
    recent = recent.filter((at) => now - at < 1_000);
    recent.push(now);
    return recent.length > behaviour.callsPerSecond;
  }

  /** True where the call gets no answer of the database any more. */
  async function misbehaved(
    mode: Behaviour['mode'],
    requestId: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<boolean> {
    const { status, retryAfter, location, garbage, slowDelay } = behaviour;
    switch (mode) {
      case 'slow':
        await sleep(slowDelay);
        return false;
      case 'silent':
        return true;
      case 'status':
        send(response, status, 'temporarily unavailable', retryAfter > 0 ? { 'retry-after': String(retryAfter) } : {});
        return true;
      case 'garbage':
        sendGarbage(response, garbage, requestId);
        return true;
      case 'moved':
        send(response, 302, '', { location });
        return true;
      case 'dead':
        request.socket.destroy();
        return true;
      case 'foreign':
        if (before === '') return false;
        sendXml(response, 200, before);
        return true;
      case 'well':
      case 'twice':
      case 'out-of-order':
        return false;
    }
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const text = await bodyOf(request);
    const operation = /<(?:\w+:)?(XacThucThongTinCongDan|TraCuuThongTinCongDan)>/.exec(text)?.[1] ?? 'unknown';
    const said = {
      operation,
      requestId: valueIn(text, 'MaYeuCau'),
      officer: valueIn(text, 'MaCanBo'),
      unit: valueIn(text, 'MaDonVi'),
      procedure: valueIn(text, 'MaDVC'),
    };
    calls += 1;
    const note = log.note({ ...said, outcome: 'arrived' });
    if (behaviour.delay > 0) await sleep(behaviour.delay);
    if (overLimit()) {
      note('over-limit');
      send(response, 429, '', { 'retry-after': '1' });
      return;
    }
    const mode = struck() ? behaviour.mode : 'well';
    if (await misbehaved(mode, said.requestId, request, response)) {
      note(mode === 'garbage' ? `garbage ${behaviour.garbage}` : mode);
      return;
    }
    const problem = problemOf(request, said, options, `http://127.0.0.1:${String(port)}/`);
    if (problem !== null) {
      note(`refused ${problem}`);
      if (problem === 'signature') send(response, 401, '');
      else sendXml(response, 500, fault(problem));
      return;
    }
    const versions = await people.find(valueIn(text, 'SoDinhDanh'));
    const version = mode === 'out-of-order' ? versions.at(-1) : versions[0];
    // A database that is up to date knows everything up to this moment.
    const asOf = mode === 'out-of-order' ? (version?.asOf ?? 0) : Date.now();
    const person = version?.person ?? null;
    const content =
      operation === 'XacThucThongTinCongDan'
        ? confirmation(said.requestId, person, person !== null && agrees(text, person), asOf)
        : lookUp(said.requestId, person === null ? [] : mode === 'twice' ? [person, person] : [person], asOf);
    before = envelope(content);
    note(mode === 'well' ? 'answered' : mode);
    sendXml(response, 200, before);
  }

  function listen(): Promise<void> {
    const server = createServer((request, response) => {
      if (request.method !== 'POST') {
        request.resume();
        send(response, 405, '');
        return;
      }
      answer(request, response).catch(() => response.destroy());
    });
    server.keepAliveTimeout = 30_000;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => {
        port = (server.address() as AddressInfo).port;
        listening = server;
        resolve();
      });
    });
  }

  async function hangUp(): Promise<void> {
    const server = listening;
    listening = null;
    if (server === null) return;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }

  async function behave(next: Behaviour): Promise<void> {
    behaviour = next;
    hit = 0;
    random = new Random(next.seed, 'fault', 0);
    if (next.mode === 'dead' && next.share === 1) await hangUp();
    else if (listening === null) await listen();
  }

  async function control(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const json = (value: unknown) => send(response, 200, JSON.stringify(value), { 'content-type': 'application/json' });
    const text = await bodyOf(request);
    switch (`${request.method ?? ''} ${request.url ?? ''}`) {
      case 'PUT /behaviour': {
        const parsed = behaviourSchema.safeParse(JSON.parse(text === '' ? '{}' : text));
        if (!parsed.success) {
          send(response, 400, z.prettifyError(parsed.error));
          return;
        }
        await behave(parsed.data);
        json(behaviour);
        return;
      }
      case 'GET /behaviour': {
        json({ ...behaviour, hit, calls });
        return;
      }
      case 'GET /calls': {
        json({ count: log.calls().length, busiestSecond: busiestSecond(log.calls()), calls: log.calls() });
        return;
      }
      case 'DELETE /calls':
        log.clear();
        {
          json({});
          return;
        }
      case 'POST /people': {
        const parsed = correctionSchema.safeParse(JSON.parse(text));
        if (!parsed.success) {
          send(response, 400, z.prettifyError(parsed.error));
          return;
        }
        const { personalId, forget, elements } = parsed.data;
        const done = await people.correct({
          personalId,
          ...(forget !== undefined && { forget }),
          ...(elements !== undefined && { elements }),
        });
        if (done) json({});
        else send(response, 404, '');
        return;
      }
      default: {
        send(response, 404, '');
        return;
      }
    }
  }

  await listen();
  const controls = createServer((request, response) => {
    control(request, response).catch(() => send(response, 400, ''));
  });
  await new Promise<void>((resolve, reject) => {
    controls.once('error', reject);
    controls.listen(options.controlPort ?? 0, '127.0.0.1', resolve);
  });

  return {
    url: `http://127.0.0.1:${String(port)}/`,
    controlUrl: `http://127.0.0.1:${String((controls.address() as AddressInfo).port)}`,
    behave: (given) => behave(behaviourSchema.parse(given)),
    calls: () => log.calls(),
    async stop() {
      await hangUp();
      await new Promise<void>((resolve) => {
        controls.close(() => resolve());
        controls.closeAllConnections();
      });
    },
  };
}

/** Of a request: text between the tags of an element, entities resolved. */
function valueIn(text: string, name: string): string {
  const found = new RegExp(`<(?:\\w+:)?${name}>([^<]*)</`).exec(text)?.[1] ?? '';
  return found.replace(/&(amp|lt|gt|quot|apos);/g, (_, entity: keyof typeof marks) => marks[entity]);
}
const marks = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function blockIn(text: string, name: string): string {
  return new RegExp(`<(?:\\w+:)?${name}>(.*?)</(?:\\w+:)?${name}>`, 's').exec(text)?.[1] ?? '';
}

/** Why a call is not served: who asks, for what and signed how. */
function problemOf(
  request: IncomingMessage,
  said: { readonly officer: string; readonly unit: string; readonly procedure: string; readonly operation: string },
  { user, secret }: SimulatorOptions,
  endpoint: string,
): 'signature' | '004' | '005' | 'form' | null {
  const timestamp = String(request.headers.timestamp ?? '');
  const expected = Buffer.from(`${user}:${signatureOf(endpoint, user, timestamp, secret)}`).toString('base64');
  const fresh = Math.abs(Date.now() - Number(timestamp)) < 300_000;
  if (!fresh || request.headers.authorization !== `Basic ${expected}`) return 'signature';
  if (said.operation === 'unknown') return 'form';
  if (said.procedure === '') return '004';
  return said.officer === '' || said.unit === '' ? '005' : null;
}

/** The strict comparison: each element as it is written here. An empty one says that there is none. */
function agrees(text: string, person: WrittenPerson): boolean {
  const birth = blockIn(text, 'NgayThangNamSinh');
  const name = [person.Ho, person.ChuDem, person.Ten].filter((part) => part !== '').join(' ');
  const at = (element: 'NoiDangKyKhaiSinh' | 'QueQuan' | 'ThuongTru', commune: string): boolean => {
    const stated = blockIn(text, element);
    return valueIn(stated, 'MaPhuongXa') === commune && valueIn(stated, 'ChiTiet') === person[element].ChiTiet;
  };
  return (
    valueIn(text, 'HoVaTen') === name &&
    valueIn(text, 'SoCMND') === person.SoCMND &&
    valueIn(birth, 'Nam') === person.Nam &&
    valueIn(birth, 'NgayThangNam') === person.NgayThangNam &&
    valueIn(text, 'GioiTinh') === person.GioiTinh &&
    at('NoiDangKyKhaiSinh', person.NoiDangKyKhaiSinh.MaPhuongXa) &&
    at('QueQuan', person.QueQuan.MaPhuongXa) &&
    at('ThuongTru', person.confirmedCommune)
  );
}

function envelope(content: string): string {
  return (
    '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/">' +
    `<soapenv:Body>${content}</soapenv:Body></soapenv:Envelope>`
  );
}

function element(name: string, value: string): string {
  const escaped = value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return `<ns:${name}>${escaped}</ns:${name}>`;
}

function confirmation(requestId: string, person: WrittenPerson | null, yes: boolean, asOf: number): string {
  const inner =
    element('MaYeuCau', requestId) +
    element('TonTai', String(person !== null)) +
    element('KetQuaXacThuc', String(yes)) +
    element('ThoiDiemDuLieu', String(asOf));
  return `<ns:XacThucThongTinCongDanResponse xmlns:ns="${answerNamespace}">${inner}</ns:XacThucThongTinCongDanResponse>`;
}

function lookUp(requestId: string, found: readonly WrittenPerson[], asOf: number): string {
  const collection =
    element('SoCongDan', String(found.length)) + element('ThoiDiemDuLieu', String(asOf)) + found.map(citizen).join('');
  return (
    `<ns:TraCuuThongTinCongDanResponse xmlns:ns="${answerNamespace}">${element('MaYeuCau', requestId)}` +
    `<ns:CongdanCollection>${collection}</ns:CongdanCollection></ns:TraCuuThongTinCongDanResponse>`
  );
}

function citizen(person: WrittenPerson): string {
  const { SoDinhDanh, SoCMND, Ho, ChuDem, Ten, Nam, NgayThangNam, GioiTinh } = person;
  const birth = NgayThangNam === '' ? element('Nam', Nam) : element('NgayThangNam', NgayThangNam);
  const at = (name: string, place: WrittenAt): string => {
    const inner = Object.entries(place)
      .filter(([, value]) => value !== '')
      .map(([part, value]) => element(part, String(value)))
      .join('');
    return `<ns:${name}>${inner}</ns:${name}>`;
  };
  return (
    `<ns:CongDan>${element('SoDinhDanh', SoDinhDanh)}${element('SoCMND', SoCMND)}` +
    `<ns:HoVaTen>${element('Ho', Ho)}${element('ChuDem', ChuDem)}${element('Ten', Ten)}</ns:HoVaTen>` +
    `<ns:NgayThangNamSinh>${birth}</ns:NgayThangNamSinh>${element('GioiTinh', GioiTinh)}` +
    `${at('NoiDangKyKhaiSinh', person.NoiDangKyKhaiSinh)}${at('QueQuan', person.QueQuan)}${at('ThuongTru', person.ThuongTru)}</ns:CongDan>`
  );
}

function fault(problem: '004' | '005' | 'form'): string {
  const code = problem === 'form' ? '' : `<detail><MaLoi>${problem}</MaLoi></detail>`;
  return envelope(
    `<soapenv:Fault><faultcode>soapenv:Client</faultcode><faultstring>refused</faultstring>${code}</soapenv:Fault>`,
  );
}

function sendGarbage(response: ServerResponse, kind: Behaviour['garbage'], requestId: string): void {
  const good = envelope(confirmation(requestId, null, false, Date.now()));
  switch (kind) {
    case 'html': {
      send(response, 200, '<!doctype html><html><body>Bảo trì hệ thống</body></html>', { 'content-type': 'text/html' });
      return;
    }
    case 'truncated': {
      sendXml(response, 200, good.slice(0, Math.floor(good.length * 0.7)));
      return;
    }
    case 'null': {
      sendXml(response, 200, 'null');
      return;
    }
    case 'empty': {
      sendXml(response, 200, '');
      return;
    }
    case 'wrong-type': {
      sendXml(
        response,
        200,
        envelope(`<ns:XacThucThongTinCongDanResponse xmlns:ns="${answerNamespace}">7</ns:XacThucThongTinCongDanResponse>`),
      );
      return;
    }
    case 'doctype': {
      sendXml(response, 200, `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>${good.slice(38)}`);
      return;
    }
    case 'utf8':
      response.writeHead(200, { 'content-type': 'text/xml; charset=utf-8' });
      return void response.end(
        Buffer.concat([Buffer.from(good.slice(0, -30)), Buffer.from([0xc3, 0x28, 0xff]), Buffer.from(good.slice(-30))]),
      );
    case 'huge': {
      response.writeHead(200, { 'content-type': 'text/xml; charset=utf-8' });
      let left = 50;
      const more = (): void => {
        while (left > 0 && !response.destroyed) {
          left -= 1;
          if (!response.write(Buffer.alloc(1024 * 1024, 0x20))) return void response.once('drain', more);
        }
        response.end();
      };
      more();
      return;
    }
  }
}

function sendXml(response: ServerResponse, status: number, text: string): void {
  send(response, status, text, { 'content-type': 'text/xml; charset=utf-8' });
}

function send(response: ServerResponse, status: number, text: string, headers: Readonly<Record<string, string>> = {}): void {
  if (response.destroyed) return;
  response.writeHead(status, { 'content-length': String(Buffer.byteLength(text)), ...headers }).end(text);
}

/** Requests of ours are small; a larger one is cut off. */
async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > 64 * 1024) throw new Error('too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
