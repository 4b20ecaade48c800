// To be imported before snarkjs, circom_runtime and circomlibjs in a worker thread. Their dependency web-worker takes any worker thread for
// one of its own and runs what it finds in workerData. Told that this is a main thread it stays quiet; the single-threaded curve never
// asks it for a worker.

import threads from 'node:worker_threads'

Object.assign(threads, { isMainThread: true })
