import { z } from 'zod';
import {
  httpUrl,
  issuers,
  jwk,
  networks,
  optional,
  postgresUrl,
  publicKeys,
  subgraphAddresses,
  text,
  url,
  whole,
  yesNo,
} from './config-readers.ts';
import { logInCatalogue } from './config-log-in.ts';
import { populationCatalogue } from './config-population.ts';
import { upkeepCatalogue } from './config-upkeep.ts';

/*
 * Every setting of the product, read once per process. A mistake stops the start, and all mistakes are told at once, in both
 * languages. docs/settings.md is printed from here (`npm run hub -- docs`).
 */

export interface Wording {
  readonly en: string;
  readonly vi: string;
}

/** What one variable is: how it is read, what it means, and what a right value looks like. */
export interface Setting<T> {
  readonly read: z.ZodType<T, string | undefined>;
  readonly what: Wording;
  /** Completes "is not …": the text of the refusal. */
  readonly wanted: Wording;
  /** As the documentation shows it. */
  readonly default: string;
  /** Never shown, never logged; may also be given as a file in `NAME_FILE`. */
  readonly secret?: true;
}

const setting = <T>(given: Setting<T>): Setting<T> => given;
const port: Wording = { en: 'a port from 0 to 65535', vi: 'một cổng từ 0 đến 65535' };
const webAddress: Wording = { en: 'an http or https address', vi: 'một địa chỉ http hoặc https' };

export const catalogue = {
  NODE_ENV: setting({
    read: text.pipe(z.enum(['development', 'production', 'test'])).default('development'),
    what: {
      en: '`production` refuses demo data, demo log-ins, simulators, weak secrets, introspection and the explorer.',
      vi: '`production` từ chối dữ liệu mẫu, tài khoản mẫu, bộ mô phỏng, khóa bí mật yếu, introspection và trình duyệt truy vấn.',
    },
    wanted: { en: 'development, production or test', vi: 'development, production hoặc test' },
    default: 'development',
  }),
  PORT: setting({
    read: whole(0, 65_535).default(4000),
    what: {
      en: 'Port of the graph, the admin and the log-in. 0 takes a free one; the line `ready …` names it.',
      vi: 'Cổng của đồ thị, trang quản trị và đăng nhập. 0: lấy cổng trống, dòng `ready …` cho biết cổng nào.',
    },
    wanted: port,
    default: '4000',
  }),
  HOST: setting({
    read: text.regex(/^[A-Za-z0-9.:_-]+$/).default('127.0.0.1'),
    what: {
      en: 'Address on which the hub listens. Anything else than loopback belongs behind TLS.',
      vi: 'Địa chỉ mà hệ thống lắng nghe. Nếu không phải loopback thì phải đặt sau TLS.',
    },
    wanted: { en: 'a host name or IP address', vi: 'một tên máy hoặc địa chỉ IP' },
    default: '127.0.0.1',
  }),
  FILES_PORT: setting({
    read: optional(whole(0, 65_535)),
    what: { en: 'Port of the origin for uploads and downloads.', vi: 'Cổng riêng cho việc tải tệp lên và tải tệp về.' },
    wanted: port,
    default: '`PORT` + 1',
  }),
  HUB_FILES_DIR: setting({
    read: optional(text),
    what: {
      en: 'Folder of the files that come in and go out. The gateway, organisation and the workers must reach the same one.',
      vi: 'Thư mục chứa các tệp đang nhập vào và xuất ra. Cổng vào, organisation và các worker phải dùng chung một thư mục này.',
    },
    wanted: { en: 'a folder', vi: 'một thư mục' },
    default: '`HUB_DATA_DIR/files`',
  }),
  HUB_PUBLIC_URL: setting({
    read: optional(httpUrl),
    what: {
      en: 'Address under which others reach the hub: issuer of tokens, host that is answered.',
      vi: 'Địa chỉ mà bên ngoài dùng để truy cập: nơi phát hành mã truy cập, tên máy được trả lời.',
    },
    wanted: webAddress,
    default: '`http://HOST:PORT`',
  }),
  HUB_TRUSTED_PROXIES: setting({
    read: optional(networks),
    what: {
      en: 'Addresses or networks of the proxies that end TLS, comma-separated. Only from them `X-Forwarded-For` is believed; unset, everybody behind a proxy counts as one address when log-ins fail.',
      vi: 'Địa chỉ hoặc dải mạng của các proxy kết thúc TLS, cách nhau bằng dấu phẩy. Chỉ tin `X-Forwarded-For` do các proxy này gửi; không đặt thì mọi người sau proxy bị tính là một địa chỉ khi đăng nhập sai.',
    },
    wanted: { en: 'a list of IP addresses or networks (10.0.0.0/8)', vi: 'một danh sách địa chỉ IP hoặc dải mạng (10.0.0.0/8)' },
    default: 'none',
  }),
  HUB_DATA_DIR: setting({
    read: text.default('.data'),
    what: {
      en: 'Folder of everything the hub keeps: embedded PostgreSQL, keys, logs, addresses of its processes. Mode 0700.',
      vi: 'Thư mục chứa mọi thứ hệ thống lưu: PostgreSQL đi kèm, khóa, nhật ký, địa chỉ các tiến trình. Quyền 0700.',
    },
    wanted: { en: 'a folder', vi: 'một thư mục' },
    default: '`.data` in the folder of the hub',
  }),
  DATABASE_URL: setting({
    read: optional(postgresUrl),
    what: {
      en: "The owner's address of a PostgreSQL 18 database, for migration, command line and supervisor; a serving process refuses to start with it. Unset: PostgreSQL from npm in the data folder.",
      vi: 'Địa chỉ PostgreSQL 18 của chủ sở hữu, dùng cho di trú, dòng lệnh và tiến trình giám sát; tiến trình phục vụ từ chối khởi động nếu có nó. Không đặt: dùng PostgreSQL từ npm trong thư mục dữ liệu.',
    },
    wanted: { en: 'a postgresql:// address', vi: 'một địa chỉ postgresql://' },
    default: 'embedded PostgreSQL',
    secret: true,
  }),
  HUB_ROLES_FILE: setting({
    read: optional(text),
    what: {
      en: 'JSON file with the addresses of the database roles (`citizens`, `insurance`, `results`, `slips`, `organisation`, `reader`, `auditor` …). The migration writes it, mode 0600.',
      vi: 'Tệp JSON chứa địa chỉ của các vai trò cơ sở dữ liệu (`citizens`, `insurance`, `results`, `slips`, `organisation`, `reader`, `auditor` …). Bước di trú ghi tệp này, quyền 0600.',
    },
    wanted: { en: 'a file', vi: 'một tệp' },
    default: '`HUB_DATA_DIR/roles.json`',
  }),
  HUB_ROLE_PREFIX: setting({
    read: text.regex(/^[a-z][a-z0-9_]{0,20}$/).default('hub'),
    what: {
      en: 'First part of the names of the database roles: two hubs on one PostgreSQL server need two.',
      vi: 'Tiền tố tên các vai trò cơ sở dữ liệu: hai hệ thống trên một máy chủ PostgreSQL cần hai tiền tố.',
    },
    wanted: { en: 'up to 21 lower-case letters, digits and _', vi: 'tối đa 21 chữ thường, chữ số và _' },
    default: 'hub',
  }),
  REDIS_URL: setting({
    read: optional(url('redis:', 'rediss:')),
    what: {
      en: 'Redis for queues and rate limits, `maxmemory-policy noeviction`. Unset: both live in PostgreSQL.',
      vi: 'Redis cho hàng đợi và hạn mức, `maxmemory-policy noeviction`. Không đặt: cả hai nằm trong PostgreSQL.',
    },
    wanted: { en: 'a redis:// or rediss:// address', vi: 'một địa chỉ redis:// hoặc rediss://' },
    default: 'PostgreSQL',
    secret: true,
  }),
  HUB_PROCESSES: setting({
    read: text.pipe(z.enum(['one', 'apart'])).default('one'),
    what: {
      en: '`one`: gateway and subgraphs in one process. `apart`: each subgraph its own process, reached over the signed hop.',
      vi: '`one`: cổng và các đồ thị con trong một tiến trình. `apart`: mỗi đồ thị con một tiến trình, gọi qua chặng có chữ ký.',
    },
    wanted: { en: 'one or apart', vi: 'one hoặc apart' },
    default: 'one',
  }),
  HUB_DEMO: setting({
    read: optional(yesNo),
    what: {
      en: 'Loads the synthetic province into an empty database and opens its log-ins. Never in production.',
      vi: 'Nạp tỉnh mẫu (dữ liệu giả lập) vào cơ sở dữ liệu trống và mở các tài khoản mẫu. Không dùng khi vận hành thật.',
    },
    wanted: { en: '1 or 0', vi: '1 hoặc 0' },
    default: '1, in production 0',
  }),
  HUB_DEMO_SEED: setting({
    read: whole(0, 999_999_999).default(7),
    what: { en: 'Seed of the demo world: same seed, same bytes.', vi: 'Số mầm của dữ liệu mẫu: cùng số, cùng dữ liệu.' },
    wanted: { en: 'a whole number', vi: 'một số nguyên' },
    default: '7',
  }),
  POPULATION_URL: setting({
    read: optional(httpUrl),
    what: {
      en: 'Population database. Unset: the simulator, in production none.',
      vi: 'Cơ sở dữ liệu quốc gia về dân cư. Không đặt: bộ mô phỏng; khi vận hành thật: không có.',
    },
    wanted: webAddress,
    default: 'simulator',
  }),
  BHXH_URL: setting({
    read: optional(httpUrl),
    what: {
      en: 'BHXH portal. Unset: the simulator, in production none.',
      vi: 'Cổng BHXH. Không đặt: bộ mô phỏng; khi vận hành thật: không có.',
    },
    wanted: webAddress,
    default: 'simulator',
  }),
  HUB_TRUSTED_ISSUERS: setting({
    read: optional(issuers),
    what: {
      en: 'Further OpenID providers whose access tokens (audience `urn:hub`) count: JSON list of `{"issuer","jwksUri","claim","names"}`. `claim` (`sub`) names an account by its log-in or, with `"names":"client"`, a client by its id.',
      vi: 'Các nhà cung cấp OpenID khác được chấp nhận (mã có audience `urn:hub`): danh sách JSON gồm `{"issuer","jwksUri","claim","names"}`. `claim` (`sub`) chứa tên đăng nhập của một tài khoản hoặc, khi có `"names":"client"`, mã của một hệ thống kết nối.',
    },
    wanted: { en: 'a JSON list of {issuer, jwksUri}', vi: 'một danh sách JSON {issuer, jwksUri}' },
    default: 'none',
  }),
  HUB_IDENTIFIER_KEY: setting({
    read: optional(text.regex(/^[0-9a-f]{64}$/i).transform((value) => Buffer.from(value, 'hex'))),
    what: {
      en: 'Key of the hashes of identifiers, 32 bytes in hex. Never change it: stored hashes depend on it. Unset: made once, kept in the data folder.',
      vi: 'Khóa băm các số định danh, 32 byte dạng hex. Không được đổi: các giá trị đã lưu phụ thuộc vào nó. Không đặt: tạo một lần và giữ trong thư mục dữ liệu.',
    },
    wanted: { en: '64 hexadecimal digits', vi: '64 chữ số thập lục phân' },
    default: 'made at the first start',
    secret: true,
  }),
  HUB_HOP_KEY: setting({
    read: optional(jwk),
    what: {
      en: 'Gateway, topology `apart`: private Ed25519 JWK that signs each hop to a subgraph. Unset: made once, kept in the data folder.',
      vi: 'Cổng, kiểu `apart`: khóa riêng Ed25519 (JWK) ký mỗi chặng tới đồ thị con. Không đặt: tạo một lần và giữ trong thư mục dữ liệu.',
    },
    wanted: { en: 'an Ed25519 JWK with kid', vi: 'một JWK Ed25519 có kid' },
    default: 'made at the first start',
    secret: true,
  }),
  HUB_HOP_PUBLIC_KEYS: setting({
    read: optional(publicKeys),
    what: {
      en: 'Subgraphs, topology `apart`: JSON list of one or two public Ed25519 JWKs (two during rotation).',
      vi: 'Đồ thị con, kiểu `apart`: danh sách JSON gồm một hoặc hai khóa công khai Ed25519 (hai khi xoay khóa).',
    },
    wanted: { en: 'a JSON list of 1 or 2 public Ed25519 JWKs', vi: 'một danh sách JSON gồm 1 hoặc 2 JWK Ed25519 công khai' },
    default: 'from the data folder',
    secret: true,
  }),
  HUB_SUBGRAPHS: setting({
    read: optional(subgraphAddresses),
    what: {
      en: 'Gateway, topology `apart`: where the subgraphs are, `citizens=http://…,insurance=http://…`. The supervisor sets it.',
      vi: 'Cổng, kiểu `apart`: địa chỉ các đồ thị con, `citizens=http://…,insurance=http://…`. Tiến trình giám sát tự đặt.',
    },
    wanted: { en: 'a list of name=http://host:port', vi: 'một danh sách tên=http://máy:cổng' },
    default: 'set by the supervisor',
  }),
  HUB_INNER_HOST: setting({
    read: text.regex(/^[A-Za-z0-9.:_-]+$/).default('127.0.0.1'),
    what: {
      en: 'Subgraph and worker processes: address on which they listen; an internal one.',
      vi: 'Tiến trình đồ thị con và tiến trình nền: địa chỉ lắng nghe, chỉ trong mạng nội bộ.',
    },
    wanted: { en: 'a host name or IP address', vi: 'một tên máy hoặc địa chỉ IP' },
    default: '127.0.0.1',
  }),
  HUB_INNER_PORT: setting({
    read: whole(0, 65_535).default(0),
    what: {
      en: 'Subgraph and worker processes: their port; 0 takes a free one.',
      vi: 'Tiến trình đồ thị con và tiến trình nền: cổng; 0 lấy cổng trống.',
    },
    wanted: port,
    default: '0',
  }),
  HUB_LOG_LEVEL: setting({
    read: text.pipe(z.enum(['debug', 'info', 'warn', 'error', 'silent'])).default('info'),
    what: { en: 'Least level that is logged.', vi: 'Mức nhật ký thấp nhất được ghi.' },
    wanted: { en: 'debug, info, warn, error or silent', vi: 'debug, info, warn, error hoặc silent' },
    default: 'info',
  }),
  HUB_LOG_FILE: setting({
    read: optional(text),
    what: {
      en: 'File for log lines (JSON), turned over at `HUB_LOG_MIB`, one old one kept. Unset: stdout. The supervisor gives each process its own in `HUB_DATA_DIR/logs`.',
      vi: 'Tệp nhật ký (JSON), xoay vòng ở `HUB_LOG_MIB`, giữ một bản cũ. Không đặt: stdout. Tiến trình giám sát đặt cho mỗi tiến trình một tệp trong `HUB_DATA_DIR/logs`.',
    },
    wanted: { en: 'a file', vi: 'một tệp' },
    default: 'stdout',
  }),
  OTEL_EXPORTER_OTLP_ENDPOINT: setting({
    read: optional(httpUrl),
    what: {
      en: 'Where OpenTelemetry traces are sent (OTLP over HTTP). Unset: no traces, no cost.',
      vi: 'Nơi nhận dấu vết OpenTelemetry (OTLP qua HTTP). Không đặt: không ghi dấu vết, không tốn chi phí.',
    },
    wanted: webAddress,
    default: 'none',
  }),
  HUB_TRACE_PERCENT: setting({
    read: whole(0, 100).default(10),
    what: {
      en: 'Share of requests that are traced, in percent; the trace id decides, so all processes agree.',
      vi: 'Tỷ lệ yêu cầu được ghi dấu vết, phần trăm; mã dấu vết quyết định nên mọi tiến trình chọn như nhau.',
    },
    wanted: { en: 'a whole number from 0 to 100', vi: 'một số nguyên từ 0 đến 100' },
    default: '10',
  }),
  ...logInCatalogue,
  ...populationCatalogue,
  ...upkeepCatalogue,
} as const;
