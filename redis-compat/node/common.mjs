// Ports and control connections shared by the scripts of this directory.
import Redis from 'ioredis';

export const ports = process.env.REDRAFT_PORTS.split(',').map(Number);
export const nodes = ports.map((port) => ({ host: '127.0.0.1', port }));

// Polls until condition() is true; a rejected promise counts as "not yet".
export async function until(condition, what, limitMs = 20000) {
  const end = Date.now() + limitMs;
  for (;;) {
    try {
      const value = await condition();
      if (value) return value;
    } catch { /* not yet */ }
    if (Date.now() > end) throw new Error(`no ${what} within ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function ask(port, ...words) {
  const once = { lazyConnect: true, retryStrategy: null, maxRetriesPerRequest: 0 };
  const client = new Redis({ host: '127.0.0.1', port, ...once });
  client.on('error', () => {});
  try {
    await client.connect();
    return await client.call(...words);
  } finally {
    client.disconnect();
  }
}

export function leaderPort() {
  return until(async () => {
    for (const port of ports) {
      const role = await ask(port, 'ROLE').catch(() => []);
      if (role[0] === 'master' && (await ask(port, 'EXISTS', 'probe').catch(() => null)) !== null) return port;
    }
    return null;
  }, 'leader');
}

// Hands leadership to another node and returns its port.
export async function handOver() {
  const old = await leaderPort();
  const target = ports[(ports.indexOf(old) + 1) % ports.length];
  await until(async () => {
    await ask(target, 'CLUSTER', 'FAILOVER').catch(() => null);
    return until(async () => (await leaderPort()) === target, 'hand-over', 1000);
  }, `leader on port ${target}`);
  return target;
}
