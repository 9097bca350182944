/** Whether what answers at an address is a Temporal server that has the namespace. */
import { request } from 'node:http';
import { CodedError } from '../errors.ts';

/** Codes of gRPC. */
const NOT_FOUND = 5;
const PERMISSION_DENIED = 7;

/** ms */
const WEB_TIMEOUT = 2_000;

export interface NamespaceService {
  describeNamespace(request: { namespace: string }): Promise<unknown>;
}

/** Rejects when there is no answer, or there is no such namespace, as on a server that is being set up: CodedError NOT_FOUND. */
export async function askForNamespace(service: NamespaceService, namespace: string): Promise<void> {
  try {
    await service.describeNamespace({ namespace });
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code === NOT_FOUND) {
      throw new CodedError(
        'NOT_FOUND',
        `namespace "${namespace}" does not exist (TEMPORAL_NAMESPACE): it is waited for; create it, or name another`,
        { cause: error },
      );
    }
    // Whoever may only run workflows need not be allowed to look at the namespace.
    if (code !== PERMISSION_DENIED) throw error;
  }
}

/** Whether a web server answers at `host:port`: a Temporal frontend does not speak HTTP/1. Never rejects. */
export function isWebServer(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    try {
      const asked = request(`http://${address}/`, { timeout: WEB_TIMEOUT, agent: false }, (response) => {
        response.destroy();
        resolve(true);
      });
      asked
        .on('error', () => resolve(false))
        .on('timeout', () => asked.destroy())
        .end();
    } catch {
      resolve(false); // not an address of the web
    }
  });
}
