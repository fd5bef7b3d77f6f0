import { createHash, generateKeyPairSync, sign } from 'node:crypto';

/*
 * A certificate that signs itself, for a TLS listener of a test: Node makes keys but no certificates, and nothing else may be assumed on
 * the machine. ASN.1 by hand, as far as one certificate needs it.
 */

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

export function selfSigned(host: string): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = sequence(oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02));
  const name = sequence(set(sequence(oid(0x55, 0x04, 0x03), tagged(0x0c, Buffer.from(host)))));
  const at = (offset: number): Buffer => {
    const time = new Date(Date.now() + offset).toISOString().replace(/[-:T]/g, '').slice(2, 14);
    return tagged(0x17, Buffer.from(`${time}Z`));
  };
  const names = sequence(tagged(/^[\d.]+$/.test(host) ? 0x87 : 0x82, addressOf(host)));
  const extensions = sequence(
    sequence(oid(0x55, 0x1d, 0x11), tagged(0x04, names)),
    sequence(oid(0x55, 0x1d, 0x13), tagged(0x01, Buffer.from([0xff])), tagged(0x04, sequence(tagged(0x01, Buffer.from([0xff]))))),
  );
  const body = sequence(
    tagged(0xa0, tagged(0x02, Buffer.from([2]))),
    tagged(0x02, Buffer.concat([Buffer.from([1]), createHash('sha256').update(host).digest().subarray(0, 8)])),
    algorithm,
    name,
    sequence(at(-3_600_000), at(86_400_000)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, extensions),
  );
  const signature = sign('sha256', body, privateKey);
  const whole = sequence(body, algorithm, tagged(0x03, Buffer.concat([Buffer.from([0]), signature])));
  const lines = whole.toString('base64').match(/.{1,64}/g) ?? [];
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    cert: ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n'),
  };
}

function addressOf(host: string): Buffer {
  return /^[\d.]+$/.test(host) ? Buffer.from(host.split('.').map(Number)) : Buffer.from(host);
}

function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts));
}

function set(...parts: readonly Buffer[]): Buffer {
  return tagged(0x31, Buffer.concat(parts));
}

function oid(...bytes: readonly number[]): Buffer {
  return tagged(0x06, Buffer.from(bytes));
}
