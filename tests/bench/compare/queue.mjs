// Lets another queue drain no-op jobs on the Postgres that PGHOST, PGUSER and PGDATABASE name, and prints how many it did a second, until the
// last was ended in the database: `node queue.mjs (graphile-worker | pg-boss) COUNT`. Connections are open before, and it has run warm.
import { run } from "graphile-worker";
import pg from "pg";
import Boss from "pg-boss";

const [name, count] = [process.argv[2], Number(process.argv[3])];
const WARM = 2000;
/** How many it keeps busy: the best of 2 to 16 on two cores. */
const CONNECTIONS = 4;
const pool = new pg.Pool({ max: CONNECTIONS + 2 });
await Promise.all(Array.from({ length: CONNECTIONS }, () => pool.query("select pg_sleep(0.05)")));

const queues = {
  /** With its local queue, and jobs completed in batches. */
  "graphile-worker": {
    schema: "graphile_worker",
    async open() {
      const { runMigrations } = await import("graphile-worker");
      await runMigrations({ pgPool: pool });
    },
    async drain(jobs) {
      await pool.query("select graphile_worker.add_jobs(array(select row('nothing', '{}', null, null, null, null, null, null)::graphile_worker.job_spec from generate_series(1, $1)))", [jobs]);
      await pool.query("vacuum analyze graphile_worker._private_jobs");
      const begun = performance.now();
      const runner = await run({
        pgPool: pool,
        taskList: { nothing: async () => {} },
        noHandleSignals: true,
        logger: quiet,
        preset: {
          worker: {
            concurrentJobs: 24,
            pollInterval: 1000,
            localQueue: { size: 500 },
            completeJobBatchDelay: 0,
            failJobBatchDelay: 0,
          },
        },
      });
      await until("select not exists (select from graphile_worker._private_jobs) as done");
      const took = performance.now() - begun;
      await runner.stop();
      return took;
    },
  },
  /** Fetched and completed a hundred at a time, on several connections at once. */
  "pg-boss": {
    schema: "pgboss",
    async open() {
      this.boss = new Boss({ max: CONNECTIONS, supervise: false, schedule: false });
      this.boss.on("error", (error) => console.error(error));
      await this.boss.start();
      await this.boss.createQueue("nothing");
    },
    async drain(jobs) {
      for (let left = jobs; left > 0; left -= 1000) {
        await this.boss.insert(Array.from({ length: Math.min(1000, left) }, () => ({ name: "nothing" })));
      }
      await pool.query("vacuum analyze pgboss.job");
      const begun = performance.now();
      await Promise.all(
        Array.from({ length: CONNECTIONS }, async () => {
          for (;;) {
            const batch = await this.boss.fetch("nothing", { batchSize: 100 });
            if (batch.length === 0) return;
            await this.boss.complete("nothing", batch.map((job) => job.id));
          }
        }),
      );
      return performance.now() - begun;
    },
    async close() {
      await this.boss.stop({ graceful: false });
    },
  },
};

async function until(sql) {
  while (!(await pool.query(sql)).rows[0].done) await new Promise((resolve) => setTimeout(resolve, 10));
}

const { Logger } = await import("graphile-worker");
const quiet = new Logger(() => () => {});
const queue = queues[name];
await queue.open();
await queue.drain(WARM);
const took = await queue.drain(count);
await queue.close?.();
await pool.query(`drop schema ${queue.schema} cascade`);
await pool.end();
console.log(Math.round((count * 1000) / took));
