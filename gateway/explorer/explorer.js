// The explorer's only script. Everything from outside is put in as text, never as markup.

const wordings = {
  vi: {
    client: 'Mã ứng dụng',
    secret: 'Khóa bí mật',
    getToken: 'Lấy mã truy cập',
    purpose: 'Mục đích',
    query: 'Truy vấn',
    variables: 'Biến (JSON)',
    run: 'Chạy',
    answer: 'Kết quả',
    schema: 'Lược đồ',
    other: 'English',
    start: 'Lấy mã truy cập trước, rồi chạy truy vấn. Trang này không lưu gì.',
    ready: 'Đã có mã truy cập, hiệu lực đến',
    refused: 'Không lấy được mã truy cập. Kiểm tra mã ứng dụng và khóa bí mật.',
    badVariables: 'Phần biến không phải JSON.',
    running: 'Đang chạy…',
    took: 'ms · mã dấu vết',
    noSchema: 'Lược đồ hiện ra sau khi có mã truy cập.',
    roots: 'Bắt đầu',
  },
  en: {
    client: 'Client id',
    secret: 'Secret',
    getToken: 'Get access token',
    purpose: 'Purpose',
    query: 'Query',
    variables: 'Variables (JSON)',
    run: 'Run',
    answer: 'Answer',
    schema: 'Schema',
    other: 'Tiếng Việt',
    start: 'Get an access token first, then run a query. This page keeps nothing.',
    ready: 'Access token at hand, valid until',
    refused: 'No access token. Check client id and secret.',
    badVariables: 'The variables are no JSON.',
    running: 'Running…',
    took: 'ms · trace id',
    noSchema: 'The schema appears once there is an access token.',
    roots: 'Start',
  },
};

const example = `query Q1($n: String!) {
  citizen(personalId: $n) {
    id
    fullName
    lifeStatus
    orgUnit { id name }
    dateOfBirth { value precision }
    insuranceCards { number validFrom validTo }
    cardInForce { number }
    digitizedResults(first: 5) { nodes { code name issuedOn } }
    referralSlips(first: 5) { nodes { number status issuedOn } }
    fieldStatuses { field status }
  }
}
`;

const introspection = `query Schema {
  __schema {
    queryType { name } mutationType { name }
    types {
      kind name description
      fields { name description args { name type { ...T } } type { ...T } }
      inputFields { name description type { ...T } }
      enumValues { name description }
    }
  }
}
fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }`;

let language = navigator.language.startsWith('en') ? 'en' : 'vi';
let token = '';
let types = new Map();
let roots = [];

const at = (id) => document.getElementById(id);
const say = (text) => {
  at('notice').textContent = text;
};

function speak() {
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll('[data-text]')) element.textContent = wordings[language][element.dataset.text];
  at('language').textContent = wordings[language].other;
}

async function ask(body) {
  const headers = {
    'content-type': 'application/json',
    accept: 'application/graphql-response+json',
    'accept-language': language,
  };
  if (token !== '') headers.authorization = `Bearer ${token}`;
  if (at('purpose').value !== '') headers['x-hub-purpose'] = at('purpose').value;
  const started = performance.now();
  const response = await fetch('/graphql', { method: 'POST', headers, body: JSON.stringify(body) });
  const answer = await response.json();
  return { answer, milliseconds: Math.round(performance.now() - started), trace: response.headers.get('x-trace-id') };
}

async function run() {
  const text = at('variables').value.trim();
  let variables = {};
  try {
    if (text !== '') variables = JSON.parse(text);
  } catch {
    say(wordings[language].badVariables);
    return;
  }
  say(wordings[language].running);
  const { answer, milliseconds, trace } = await ask({ query: at('query').value, variables });
  at('answer').textContent = JSON.stringify(answer, null, 2);
  say(`${milliseconds} ${wordings[language].took} ${trace}`);
}

async function getToken(event) {
  event.preventDefault();
  const basic = btoa(`${encodeURIComponent(at('client').value)}:${encodeURIComponent(at('secret').value)}`);
  const response = await fetch('/oauth/token', {
    method: 'POST',
    headers: { authorization: `Basic ${basic}`, 'content-type': 'application/x-www-form-urlencoded' },
    body: 'grant_type=client_credentials',
  });
  if (!response.ok) {
    say(wordings[language].refused);
    return;
  }
  const given = await response.json();
  token = given.access_token;
  say(`${wordings[language].ready} ${new Date(Date.now() + given.expires_in * 1000).toLocaleTimeString(language)}`);
  const { answer } = await ask({ query: introspection });
  if (answer.data === undefined) return;
  const { __schema: schema } = answer.data;
  types = new Map(schema.types.filter(({ name }) => !name.startsWith('__')).map((type) => [type.name, type]));
  roots = [schema.queryType, schema.mutationType].filter((type) => type !== null).map(({ name }) => name);
  show(roots[0]);
}

const textOf = (type) =>
  type.kind === 'NON_NULL' ? `${textOf(type.ofType)}!` : type.kind === 'LIST' ? `[${textOf(type.ofType)}]` : type.name;
const nameOf = (type) => (type.ofType ? nameOf(type.ofType) : type.name);

function link(label, name) {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'link';
  button.textContent = label;
  button.addEventListener('click', () => show(name));
  return button;
}

function show(name) {
  const type = types.get(name);
  const box = at('schema');
  at('trail').replaceChildren(
    ...roots.flatMap((root) => [link(root, root), ' ']),
    name === undefined || roots.includes(name) ? '' : `› ${name}`,
  );
  if (type === undefined) {
    box.textContent = wordings[language].noSchema;
    return;
  }
  const list = document.createElement('dl');
  const add = (head, description) => {
    const dt = document.createElement('dt');
    dt.append(...head);
    const dd = document.createElement('dd');
    dd.textContent = description ?? '';
    list.append(dt, dd);
  };
  for (const field of type.fields ?? type.inputFields ?? []) {
    const args = (field.args ?? []).map((argument) => `${argument.name}: ${textOf(argument.type)}`).join(', ');
    const target = nameOf(field.type);
    const result =
      types.get(target)?.kind === 'SCALAR' || !types.has(target) ? textOf(field.type) : link(textOf(field.type), target);
    add([`${field.name}${args === '' ? '' : `(${args})`}: `, result], field.description);
  }
  for (const value of type.enumValues ?? []) add([value.name], value.description);
  const description = document.createElement('p');
  description.textContent = type.description ?? '';
  box.replaceChildren(description, list);
}

at('query').value = example;
at('run').addEventListener('click', run);
at('token-form').addEventListener('submit', getToken);
at('language').addEventListener('click', () => {
  language = language === 'vi' ? 'en' : 'vi';
  speak();
});
document.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) run();
});
speak();
say(wordings[language].start);
show(undefined);
