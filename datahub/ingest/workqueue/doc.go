// Package workqueue shares work between processes over NATS JetStream: an owner's node puts jobs in, workers on any machine
// take them out, and results come back. It knows nothing of what the work is.
//
// # On the broker
//
// A queue of name Q has three streams, which [Open] makes or brings up to date:
//
//	ASSAY_WORK_Q_JOBS     assay-work.Q.job.ID.ATTEMPT            work queue: a job stays until it is acknowledged; bounded,
//	                                                             full means that [Queue.Submit] waits
//	ASSAY_WORK_Q_RESULTS  assay-work.Q.result.ID.WORKER          the last result of each worker for each job
//	ASSAY_WORK_Q_DEAD     assay-work.Q.dead.WORKER               dead letters: the last jobs that each worker gave up, as they were
//
// and one durable pull consumer, "workers", with explicit acknowledgement. A worker that works says so every third of
// AckWait; one that is killed, or cut off, does not, and its job goes to another after AckWait. A job that was delivered
// MaxDeliver times without an end is not worked on again: the next worker to get it moves it to the dead letters and says
// so to whoever waits for it. What cannot be opened is moved there at once.
//
// Streams and consumer are in an account of the owner's. Each worker is in an account of its own without JetStream, and imports what
// it needs as services ([Account], [Exports]): a worker that names a reply subject gets the answer there, and nobody else does.
//
// A job and its encryption are one message of at most [MaxMessage] bytes, so the broker's max_payload must be at least that:
// NATS's default of 1 MiB is. [Open] and [Join] refuse a broker that allows less. MQTT devices are kept to less by the
// permissions of their subjects, not by max_payload.
//
// # What it promises
//
//   - A job that [Queue.Submit] accepted is delivered until it is finished, failed, withdrawn or dead, through restarts of
//     broker, owner and workers. It may be delivered more than once: results are for the caller to compare, duplicates do no harm.
//   - Submitting the same job and attempt again, while it is queued, changes nothing.
//   - The broker sees ciphertext: payloads are sealed end to end with XChaCha20-Poly1305 under the queue's [Key], bound to queue,
//     job, direction, and attempt or worker. What it does see: how many jobs there are, their sizes and times, and the workers' names.
//     Job ids are keyed hashes.
//   - A result's worker is as true as the broker's accounts: each worker may publish under its own name only ([WorkerMay]), and has no
//     way to the API of JetStream, nor to what others published.
//   - What an operator deletes while a job is waited for is made again ([Watch.Next]); jobs that were in it count as lost.
//
// # What it does not promise
//
// Everyone who holds the key can read every job and seal a result for any: workers see what they work on, and whoever
// uses a result must check it. A worker can take a job and answer nothing: [Watch.Next] then says that the job was lost. It
// can acknowledge or refuse a job that another is at, too, since all share one consumer; the broker does not say who did.
//
// A worker can publish without end under its own name. Its messages for one job are looked at up to a bound, and its dead letters drive
// out its own only; but the stream of results drops its oldest for it, and a process that begins to wait then finds less of what was
// there before.
package workqueue
