/**
 * Messages of PostgreSQL's extended protocol, gathered into one buffer: a batch is one write to the socket, whatever it holds.
 * All values travel as text.
 */
export class WireBatch {
  #bytes = Buffer.allocUnsafe(4096);
  #at = 0;

  parse(name: string, text: string, types: readonly number[]): void {
    const start = this.#open('P');
    this.#text(name);
    this.#text(text);
    this.#int16(types.length);
    for (const type of types) this.#int32(type);
    this.#close(start);
  }

  /** Asks for the columns of a prepared statement. */
  describe(name: string): void {
    const start = this.#open('D');
    this.#byte('S');
    this.#text(name);
    this.#close(start);
  }

  closeStatement(name: string): void {
    const start = this.#open('C');
    this.#byte('S');
    this.#text(name);
    this.#close(start);
  }

  /** Binds to the unnamed portal and runs it to its end. */
  execute(name: string, values: readonly (string | null)[]): void {
    const start = this.#open('B');
    this.#text('');
    this.#text(name);
    this.#int16(0);
    this.#int16(values.length);
    for (const value of values) this.#value(value);
    this.#int16(0);
    this.#close(start);
    const run = this.#open('E');
    this.#text('');
    this.#int32(0);
    this.#close(run);
  }

  sync(): void {
    this.#close(this.#open('S'));
  }

  /** The batch; this object is used no more. */
  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  #room(more: number): void {
    if (this.#at + more <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + more));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }

  #byte(letter: string): void {
    this.#room(1);
    this.#bytes[this.#at] = letter.charCodeAt(0);
    this.#at += 1;
  }

  #open(type: string): number {
    this.#byte(type);
    const start = this.#at;
    this.#int32(0);
    return start;
  }

  /** The length counts itself and not the letter before it. */
  #close(start: number): void {
    this.#bytes.writeInt32BE(this.#at - start, start);
  }

  #int16(value: number): void {
    this.#room(2);
    this.#at = this.#bytes.writeInt16BE(value, this.#at);
  }

  #int32(value: number): void {
    this.#room(4);
    this.#at = this.#bytes.writeInt32BE(value, this.#at);
  }

  #text(text: string): void {
    this.#room(text.length * 3 + 1);
    this.#at += this.#bytes.write(text, this.#at);
    this.#bytes[this.#at] = 0;
    this.#at += 1;
  }

  #value(value: string | null): void {
    if (value === null) {
      this.#int32(-1);
      return;
    }
    this.#room(value.length * 3 + 4);
    const length = this.#bytes.write(value, this.#at + 4);
    this.#bytes.writeInt32BE(length, this.#at);
    this.#at += 4 + length;
  }
}
