// Package prove shares the proofs of a request among processes: a [Prover] in the owner's node puts each chunk into a work
// queue, a [Worker] in the same process or on another machine proves it, and the Prover checks what comes back.
//
// # What it promises
//
// Nothing that a worker returns gets into a bundle unchecked. A result is used only if its proof holds under the ledger's pinned
// keys for exactly this place, commitment and statement, and its opening is that of the proof, with the totals of the owner's own
// records ([zk.ChunkJob.Verify]); that takes about 5 ms a chunk. A worker whose result fails is named in the log, its later
// results are not looked at, jobs ask it to stay away, and the chunk is proven again by another. Which worker it was is as true as the
// broker's permissions (package workqueue).
//
// A job fails when its worker says so, when its worker takes it and answers nothing, or when its result is wrong. A worker's word
// that it cannot do a job counts once for that job: if it says so again, that ends no attempt that another is at. After three
// failures the Prover gives up and says what each worker said; unless two workers said that the job cannot be done, and no
// answer was wrong or missing, it proves the chunk by itself instead, if it may, a few at a time. So what one
// worker says ends no request. A worker that failed three jobs in a row which then were proven elsewhere is treated like one whose
// result was wrong.
//
// A worker that is killed is no failure: its job goes to another after the queue's ack wait. A job that ends its workers again and
// again is given up, and not tried by the Prover, once two workers say so; the word of one is a failure like others.
//
// A node that is killed and starts again finds what was proven meanwhile: a job is named after what it is about. Proofs that come
// twice do no harm.
//
// A worker checks its own proof before it sends it, so that a broken machine learns of itself. If a job says that this
// worker was wrong before, or is for keys other than the worker's, the worker gives the job back and stops with the reason.
//
// # What it does not promise
//
// A worker can keep a request waiting: one that takes a job and says for ever that it is at it holds that job, and what a worker can do to
// the queue itself is in the manual of package workqueue.
//
// A worker learns the records of the chunks that it proves: run workers where records may be. The broker learns nothing
// but sizes and times. A proof that has begun is not interrupted: to stop a request takes its jobs out of the queue, and what
// workers are at comes to nothing.
package prove
