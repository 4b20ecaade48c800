pragma circom 2.1.0;

// Commitments to lists of field elements. Every list has its own initial value: a domain tag and its length.

include "circomlib/circuits/poseidon.circom";

// Proves:      hash = sponge(TAG, words): h = TAG·2^32 + N, then h = Poseidon(h, at most 15 words) chunk by chunk.
// Public:      nothing by itself.
// Private:     words.
// Ranges:      words: any field element; packing words unambiguously is the caller's business.
// Constraints: one Poseidon of arity k+1 per chunk of k words.
template Sponge(TAG, N) {
    assert(TAG > 0 && N > 0);
    var RATE = 15;
    var CHUNKS = (N + RATE - 1) \ RATE;

    signal input words[N];
    signal output hash;

    component chunk[CHUNKS];
    for (var c = 0; c < CHUNKS; c++) {
        var SIZE = N - c * RATE < RATE ? N - c * RATE : RATE;
        chunk[c] = Poseidon(SIZE + 1);
        if (c == 0) {
            chunk[c].inputs[0] <== TAG * (1 << 32) + N;
        } else {
            chunk[c].inputs[0] <== chunk[c - 1].out;
        }
        for (var i = 0; i < SIZE; i++) {
            chunk[c].inputs[i + 1] <== words[c * RATE + i];
        }
    }
    hash <== chunk[CHUNKS - 1].out;
}

// Proves:      hash = sponge(TAG, no words) = Poseidon(TAG·2^32), a constant.
// Public:      nothing by itself.
// Private:     nothing.
// Ranges:      none.
// Constraints: 0.
template EmptySponge(TAG) {
    assert(TAG > 0);
    signal output hash;
    hash <== Poseidon(1)([TAG * (1 << 32)]);
}
