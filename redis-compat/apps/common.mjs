// What the applications of this directory share. The driver (test_apps.py) gives ports and how many jobs to do, and
// acts when it reads "half".
export const ports = process.env.REDRAFT_PORTS.split(',').map(Number);
export const nodes = ports.map((port) => ({ host: '127.0.0.1', port }));
// For ioredis's Cluster: soon again when a node goes.
export const clusterOptions = {
  clusterRetryStrategy: () => 50,
  retryDelayOnFailover: 50,
  retryDelayOnClusterDown: 50,
  redisOptions: { maxRetriesPerRequest: 2 },
};
export const jobs = Number(process.env.JOBS ?? 400);

export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// Polls until condition() is true; a rejected promise counts as "not yet".
export async function until(condition, what, limitMs = 40000) {
  const end = Date.now() + limitMs;
  for (;;) {
    const value = await condition().catch(() => null);
    if (value) return value;
    if (Date.now() > end) throw new Error(`no ${what} within ${limitMs} ms`);
    await pause(20);
  }
}

// Until it succeeds: the outcome of a try may be unknown, so `attempt` must bear being done twice.
export async function insist(attempt, what, limitMs = 40000) {
  const end = Date.now() + limitMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > end) throw new Error(`${what}: ${error.message}`);
      await pause(20);
    }
  }
}

let told = false;
// Once half of the work is done the driver may kill the leader.
export function tellHalf(done) {
  if (told || done < jobs / 2) return;
  told = true;
  console.log('half');
}

// Ids are given by the producer, so that adding one again is an error that says it is there.
export const jobId = (i) => `${i + 1}-1`;
export const alreadyThere = (error) => /equal or smaller/.test(error.message);

// What a queue must have kept: every job that was acknowledged to the producer was done, recorded once, and nothing is
// pending.
export function judge({ acknowledged, completed, runs, pending }) {
  const missing = acknowledged.filter((id) => !completed.has(id));
  if (missing.length > 0) throw new Error(`acknowledged and never done: ${missing.slice(0, 5)} (${missing.length})`);
  if (completed.size !== jobs) throw new Error(`${completed.size} of ${jobs} jobs recorded`);
  if (pending !== 0) throw new Error(`${pending} jobs still pending`);
  console.log(`${completed.size} jobs, ${runs} runs`);
}
