/** GGUF files written from values, damaged ones as well: what is no value of the format becomes the nearest that is. */

export interface GgufContent {
  metadata: Record<string, unknown>;
  tensors: { name: unknown; dims: unknown; type: unknown; data: Uint8Array }[];
}

const ALIGNMENT = 32;
const U32 = 4;
const F32 = 6;
const BOOL = 7;
const STRING = 8;
const ARRAY = 9;
const I64 = 11;

export function ggufFile({ metadata, tensors }: GgufContent): Buffer {
  const entries = Object.entries(metadata);
  const head: Buffer[] = [Buffer.from('GGUF'), u32(3), u64(tensors.length), u64(entries.length)];
  for (const [key, value] of entries) head.push(text(key), ...typed(value));
  let offset = 0;
  const data: Buffer[] = [];
  for (const tensor of tensors) {
    const dims = Array.isArray(tensor.dims) ? tensor.dims.slice(0, 100) : [tensor.dims];
    head.push(text(String(tensor.name)), u32(dims.length), ...dims.map(u64), u32(tensor.type), u64(offset));
    const bytes = Buffer.from(tensor.data);
    data.push(bytes, Buffer.alloc((ALIGNMENT - (bytes.length % ALIGNMENT)) % ALIGNMENT));
    offset += Math.ceil(bytes.length / ALIGNMENT) * ALIGNMENT;
  }
  const header = Buffer.concat(head);
  const gap = Buffer.alloc((ALIGNMENT - (header.length % ALIGNMENT)) % ALIGNMENT);
  return Buffer.concat([header, gap, ...data]);
}

function typed(value: unknown): Buffer[] {
  const type = typeOf(value);
  return [u32(type), ...written(value, type)];
}

function typeOf(value: unknown): number {
  if (Array.isArray(value)) return ARRAY;
  if (typeof value === 'boolean') return BOOL;
  if (typeof value !== 'number') return STRING;
  if (!Number.isInteger(value)) return F32;
  return value >= 0 && value < 2 ** 32 ? U32 : I64;
}

function written(value: unknown, type: number): Buffer[] {
  if (type === ARRAY) {
    const values = value as unknown[];
    const each = values.length === 0 ? U32 : typeOf(values[0]);
    return [
      u32(each),
      u64(values.length),
      ...values.flatMap((one) => written(each === ARRAY && !Array.isArray(one) ? [one] : one, each)),
    ];
  }
  if (type === BOOL) return [Buffer.from([value ? 1 : 0])];
  if (type === U32) return [u32(value)];
  if (type === I64) return [u64(value)];
  if (type === F32) {
    const bytes = Buffer.alloc(4);
    bytes.writeFloatLE(Number(value));
    return [bytes];
  }
  return [text(typeof value === 'string' ? value : String(JSON.stringify(value)))];
}

function u32(value: unknown): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(Number(value) >>> 0);
  return bytes;
}

function u64(value: unknown): Buffer {
  const bytes = Buffer.alloc(8);
  const number = Math.trunc(Number(value));
  bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(Number.isFinite(number) ? number : 0)));
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([u64(bytes.length), bytes]);
}
