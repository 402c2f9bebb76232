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
//	ASSAY_WORK_Q_DEAD     assay-work.Q.dead.ID.ATTEMPT.WORKER    dead letters: jobs that no worker finished, as they were
//
// and one durable pull consumer, "workers", with explicit acknowledgement. A worker that works says so every third of
// AckWait; one that is killed, or cut off, does not, and its job goes to another after AckWait. A job that was delivered
// MaxDeliver times without an end is not worked on again: the next worker to get it moves it to the dead letters and says
// so to whoever waits for it. What cannot be opened is moved there at once.
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
//   - A result's worker is as true as the broker's permissions: each worker may publish under its own name only ([WorkerMay]).
//
// # What it does not promise
//
// Everyone who holds the key can read every job and seal a result for any: workers see what they work on, and whoever
// uses a result must check it. A worker can take a job and answer nothing: [Watch.Next] then says that the job was lost. It
// can acknowledge or refuse a job that another is at, too, since all share one consumer; the broker does not say who did.
//
// A worker can stop the queue's service, though not spoil a result. The broker checks the subject that a client publishes to, not
// the reply subject that it names, and JetStream answers there from inside the account: a worker that names a subject of the
// JetStream API, or another worker's, can have streams of the queue's account deleted or purged, and stored results overwritten by
// something that does not open. Nothing names who did it. So give the account of the work queue nothing else to hold, and
// the devices' streams an account of their own; a worker that is not trusted with the service is locked out by its credentials.
// A stream of jobs that is gone is made again when the next job is submitted, and jobs that were in it count as lost; the other
// streams, and the consumer, are made again by [Open] at the latest, so by the node's next start.
package workqueue
