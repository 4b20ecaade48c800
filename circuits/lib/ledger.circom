pragma circom 2.1.0;

// The ledger page of a cohort: the last sequence and the State of every slot, and the commitment to them.

include "circomlib/circuits/bitify.circom";
include "circomlib/circuits/comparators.circom";
include "circomlib/circuits/poseidon.circom";
include "sponge.circom";

// Proves:      inOrder = 1 exactly if 0 < sequence − last ≤ 2^32.
// Public:      nothing by itself.
// Private:     sequence, last.
// Ranges:      sequence: 64 bits, by the caller (Frame). last: 64 bits, enforced here.
// Constraints: 131.
template SequenceOrder() {
    signal input sequence;
    signal input last;
    signal output inOrder;

    signal lastBits[64] <== Num2Bits(64)(last);

    // 2^64 + (sequence − last − 1) lies in [0, 2^65); the rule holds if its bits from the 32nd on are those of 2^64.
    signal gapBits[65] <== Num2Bits(65)(sequence - last - 1 + (1 << 64));
    var high = 0;
    for (var i = 32; i < 65; i++) {
        high += gapBits[i] * (1 << (i - 32));
    }
    inOrder <== IsZero()(high - (1 << 32));
}

// Proves:      hash = sponge(3, the D sequences, three per word, first most significant; the last word may hold fewer).
// Public:      nothing by itself.
// Private:     sequence.
// Ranges:      sequence: 64 bits each, by the caller (Frame, SequenceOrder).
// Constraints: the sponge of ceil(D / 3) words.
template SequencesHash(D) {
    var WORDS = (D + 2) \ 3;
    signal input sequence[D];
    signal output hash;

    component sponge = Sponge(3, WORDS);
    for (var w = 0; w < WORDS; w++) {
        var word = 0;
        for (var slot = 3 * w; slot < 3 * w + 3 && slot < D; slot++) {
            word = word * (1 << 64) + sequence[slot];
        }
        sponge.words[w] <== word;
    }
    hash <== sponge.hash;
}

// Proves:      hash = sponge(4, the packed State words of all slots, slot by slot).
// Public:      nothing by itself.
// Private:     words.
// Ranges:      words: packed fields of the declared widths, by the caller (StateRanges, the applet).
// Constraints: the sponge of D·W words.
template StatesHash(D, W) {
    signal input words[D][W];
    signal output hash;

    component sponge = Sponge(4, D * W);
    for (var slot = 0; slot < D; slot++) {
        for (var w = 0; w < W; w++) {
            sponge.words[slot * W + w] <== words[slot][w];
        }
    }
    hash <== sponge.hash;
}

// Proves:      hash = sponge(4, no words): the statesHash of an applet without State.
// Public:      nothing by itself.
// Private:     nothing.
// Ranges:      none.
// Constraints: 0.
template NoStatesHash() {
    signal output hash <== EmptySponge(4)();
}

// Proves:      ledger = Poseidon(sequencesHash, statesHash).
// Public:      nothing by itself; ledger meets the journal's ledgerBefore or ledgerAfter in the main template.
// Private:     sequencesHash, statesHash.
// Ranges:      none needed.
// Constraints: 240.
template Ledger() {
    signal input sequencesHash;
    signal input statesHash;
    signal output ledger <== Poseidon(2)([sequencesHash, statesHash]);
}
