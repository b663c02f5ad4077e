// bullmq with explicit job ids: each job runs at least once, is recorded completed once, and no job that was
// acknowledged to the producer is missing.
import { Queue, QueueEvents, Worker } from 'bullmq';
import Redis from 'ioredis';
import { insist, jobs, judge, nodes, tellHalf, until } from './common.mjs';

const connect = () => new Redis.Cluster(nodes, {
  clusterRetryStrategy: () => 50, retryDelayOnFailover: 50, retryDelayOnClusterDown: 50,
  redisOptions: { maxRetriesPerRequest: null },
});
const options = () => ({ connection: connect(), prefix: '{bull}' });
const quiet = (emitter) => emitter.on('error', () => {});

const queue = quiet(new Queue('work', options()));
const events = quiet(new QueueEvents('work', options()));
const recorded = new Map();
events.on('completed', ({ jobId }) => recorded.set(jobId, (recorded.get(jobId) ?? 0) + 1));

let runs = 0;
const workers = [1, 2].map(() => quiet(new Worker('work', async (job) => {
  runs++;
  return job.data.n * 2;
}, { ...options(), concurrency: 5, lockDuration: 2000, stalledInterval: 1000 })));

const acknowledged = [];
for (let i = 0; i < jobs; i++) {
  await insist(() => queue.add('double', { n: i }, { jobId: `job-${i}` }), 'add');
  acknowledged.push(`job-${i}`);
}
await until(async () => {
  const done = await queue.getCompletedCount();
  tellHalf(done);
  return done === jobs;
}, 'all jobs completed', 60000);

const completed = await queue.getCompleted(0, jobs);
for (const job of completed) {
  if (job.returnvalue !== job.data.n * 2) throw new Error(`${job.id} returned ${job.returnvalue}`);
}
const ids = completed.map((job) => job.id);
if (new Set(ids).size !== ids.length) throw new Error('a job is recorded completed twice');
const counts = await queue.getJobCounts('waiting', 'active', 'failed', 'delayed');
judge({ acknowledged, completed: new Set(ids), runs, pending: Object.values(counts).reduce((a, b) => a + b, 0) });
if ([...recorded.values()].some((times) => times !== 1)) throw new Error('a completion was announced twice');
await Promise.all([...workers.map((worker) => worker.close(true)), events.close(), queue.close()]).catch(() => {});
process.exit(0);
