/** What an orchestrator and an operator ask a process: /readyz and /healthz (503, and why, while it does not work), /metrics. */
import { createServer } from 'node:http';
import type { Service } from 'money-enrichment/publisher';

export function serveHealth(port: number, services: Readonly<Record<string, Service>>): void {
  const all = Object.entries(services);
  createServer(({ url }, response) => {
    if (url === '/metrics') {
      response.end(all.map(([part, { holds }]) => `orders_partitions{part="${part}"} ${holds}\n`).join(''));
      return;
    }
    const problems = all.flatMap(([part, service]) => {
      const problem = url === '/healthz' ? service.notLive : service.notReady;
      return problem === undefined ? [] : [`${part}: ${problem}\n`];
    });
    response.writeHead(problems.length === 0 ? 200 : 503).end(problems.join('') || 'ok\n');
  }).listen(port);
}
