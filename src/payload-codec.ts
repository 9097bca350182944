/**
 * Compresses large payloads, so that the state of a very busy user fits through continue-as-new (2 MB a payload). All
 * that is smaller stays plain, so that the UI and the `temporal` command show it; query answers always are.
 */
import { gunzip, gzip } from 'node:zlib';
import { promisify } from 'node:util';
import type { DataConverter, Payload, PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';

/** bytes; Temporal warns of payloads at 256 KB. */
const THRESHOLD = 200_000;
/** bytes of a payload after decompression; far above what this product makes. */
const MAX_BYTES = 64_000_000;
const ENCODING = 'binary/gzip';

const compress = promisify(gzip);
const decompress = promisify(gunzip);
const { Payload: PayloadMessage } = proto.temporal.api.common.v1;

class GzipCodec implements PayloadCodec {
  encode(payloads: Payload[]): Promise<Payload[]> {
    return Promise.all(
      payloads.map(async (payload) => {
        if ((payload.data?.length ?? 0) < THRESHOLD) return payload;
        const data = await compress(PayloadMessage.encode(payload).finish(), { level: 1 });
        return { metadata: { encoding: Buffer.from(ENCODING) }, data };
      }),
    );
  }

  decode(payloads: Payload[]): Promise<Payload[]> {
    return Promise.all(
      payloads.map(async (payload) => {
        const encoding = payload.metadata?.['encoding'];
        if (encoding === undefined || encoding === null || Buffer.from(encoding).toString() !== ENCODING) return payload;
        return PayloadMessage.decode(await decompress(payload.data ?? Buffer.alloc(0), { maxOutputLength: MAX_BYTES }));
      }),
    );
  }
}

/** For every Temporal client and worker of this product. */
export const dataConverter: DataConverter = { payloadCodecs: [new GzipCodec()] };
