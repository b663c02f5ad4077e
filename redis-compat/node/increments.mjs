// INCRs through an ioredis Cluster until a line arrives on stdin: one line for every 100 acknowledgements, and at the
// end "<acknowledged> <in doubt>".
import Redis from 'ioredis';
import { nodes } from './common.mjs';

const cluster = new Redis.Cluster(nodes, { clusterRetryStrategy: () => 50 });
cluster.on('error', () => {});
let acknowledged = 0;
let inDoubt = 0;
let stopping = false;
process.stdin.once('data', () => { stopping = true; });

async function work() {
  while (!stopping) {
    try {
      await cluster.incr('counter');
      acknowledged += 1;
      if (acknowledged % 100 === 0) console.log(acknowledged);
    } catch {
      inDoubt += 1;
    }
  }
}
await Promise.all(Array.from({ length: 8 }, work));
console.log(`${acknowledged} ${inDoubt}`);
cluster.disconnect();
process.exit(0);
