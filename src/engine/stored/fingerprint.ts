/**
 * CRC-64-AVRO (Avro 1.11, "Schema Fingerprints"), of the parsing canonical form of a schema: eight bytes, little-endian, as
 * in Avro's single-object encoding.
 */
const EMPTY = 0xc15d213aa4d7a795n;

const TABLE = Array.from({ length: 256 }, (_, index) => {
  let value = BigInt(index);
  for (let bit = 0; bit < 8; bit += 1) value = (value >> 1n) ^ (EMPTY & -(value & 1n));
  return BigInt.asUintN(64, value);
});

export function fingerprintOf(canonicalForm: string): Buffer {
  let value = EMPTY;
  for (const byte of Buffer.from(canonicalForm)) value = (value >> 8n) ^ TABLE[Number((value ^ BigInt(byte)) & 0xffn)]!;
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}
