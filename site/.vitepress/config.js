/** The site of `docs/`, of which scripts/docs.js puts a copy into `pages`. The pages are read on GitHub, too. */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitepress';

const named = new Set(['start']);
const page = (text, name) => {
  named.add(name);
  return { text, link: `/${name}` };
};
const PAGES = fileURLToPath(new URL('../pages', import.meta.url));
/** Pages that nobody has given a place yet. */
const others = () =>
  readdirSync(PAGES)
    .filter((file) => file.endsWith('.md'))
    .map((file) => file.replace(/\.md$/, ''))
    .filter((name) => !named.has(name))
    .map((name) => page(name, name));

export default defineConfig({
  title: 'money-enrichment',
  description: 'Exactly-once enrichment of a Kafka stream of money events, with one durable Temporal workflow per user',
  srcDir: './pages',
  outDir: './.vitepress/dist',
  cleanUrls: true,
  // What lies outside docs/ is in the repository and no page of the site; test/docs.test.ts holds these links.
  ignoreDeadLinks: [/\.\.\//, /README/],
  markdown: { html: false },
  rewrites: { 'start.md': 'index.md' },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    sidebar: [
      {
        text: 'Begin',
        items: [
          { text: 'First steps', link: '/' },
          page('A quarter of an hour', 'tutorial'),
          page('Compared with others', 'compared'),
          page('Commands', 'commands'),
          page('Configuration', 'configuration'),
          page('Reference', 'reference'),
          page('Schema registries', 'schema-registry'),
        ],
      },
      {
        text: 'Use what comes out',
        items: [
          page('Output', 'output'),
          page('Dead letters', 'dead-letters'),
          page('Bounds', 'bounds'),
          page('Export', 'export'),
          page('Explain', 'explain'),
          page('Backfill', 'backfill'),
          page('Bootstrap', 'bootstrap'),
        ],
      },
      {
        text: 'Operate',
        items: [
          page('Operations', 'operations'),
          page('Containers', 'containers'),
          page('Kubernetes', 'kubernetes'),
          page('Deployments', 'deployments'),
          page('Metrics', 'metrics'),
          page('Runbook', 'runbook'),
          page('Tracing', 'tracing'),
          page('Top', 'top'),
          page('Messages', 'messages'),
          page('Performance and cost', 'performance'),
          page('Disaster recovery', 'disaster-recovery'),
        ],
      },
      {
        text: 'Security',
        items: [
          page('Security', 'security'),
          page('Connections', 'connections'),
          page('Encryption', 'encryption'),
          page('Threat model', 'threat-model'),
        ],
      },
      {
        text: 'Understand and change',
        items: [
          page('How it works, in pictures', 'how-it-works'),
          page('What the system computes', 'semantics'),
          page('Guarantees', 'guarantees'),
          page('What was not run', 'not-run'),
          page('The tour', 'tour'),
          page('Folders', 'folders'),
          page('Names', 'names'),
          page('Stored state', 'evolution'),
          page('Replay', 'replay'),
          page('A change', 'a-change'),
          page('The engine as a library', 'library'),
          page('kafkajs', 'kafkajs'),
        ],
      },
      { text: 'More', items: others() },
    ],
  },
});
