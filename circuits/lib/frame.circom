pragma circom 2.1.0;

// One slot's frame: present or absent, how many readings it holds, its hash, its signature and the device it belongs to.

include "circomlib/circuits/bitify.circom";
include "circomlib/circuits/comparators.circom";
include "circomlib/circuits/poseidon.circom";
include "identity.circom";
include "signature.circom";
include "sponge.circom";

// Proves:      if present, 1 ≤ count ≤ R; if absent, count = 0; active[i] = 1 exactly if i < count.
// Public:      nothing by itself.
// Private:     present, count.
// Ranges:      present: boolean, enforced here. count and active follow from it.
// Constraints: 2·R + 1.
template ReadingCount(R) {
    assert(R >= 1 && R <= 64);
    signal input present;
    signal input count;
    signal output active[R];

    present * (1 - present) === 0;

    signal isCount[R];
    var matches = 0;
    var matched = 0;
    for (var i = 0; i < R; i++) {
        isCount[i] <== IsEqual()([count, i + 1]);
        matches += isCount[i];
        matched += isCount[i] * (i + 1);
    }
    present === matches;
    count === matched;

    var longer = 0;
    for (var i = R - 1; i >= 0; i--) {
        longer += isCount[i];
        active[i] <== longer;
    }
}

// Proves:      hash = sponge(1, the packed words of all R places), and the words of every place that is not active are 0.
// Public:      nothing by itself.
// Private:     words, active.
// Ranges:      words: fields of the declared widths, by the applet. active: boolean, by ReadingCount.
// Constraints: R·W and the sponge of R·W words.
template ReadingsHash(R, W) {
    signal input words[R][W];
    signal input active[R];
    signal output hash;

    component sponge = Sponge(1, R * W);
    for (var i = 0; i < R; i++) {
        for (var w = 0; w < W; w++) {
            (1 - active[i]) * words[i][w] === 0;
            sponge.words[i * W + w] <== words[i][w];
        }
    }
    hash <== sponge.hash;
}

// Proves:      if present, the device of this slot signed exactly these readings under this sequence, layout and deviceDomain.
//              entry = present · messageHash is the frame's place in the batch root.
// Public:      nothing by itself; deviceDomain is the journal's.
// Private:     everything else.
// Ranges:      present: boolean; count: 1..R if present, else 0; deviceId, sequence: 64 bits: all enforced here.
//              words: packed fields of the declared widths, by the applet. LAYOUT_ID: 248 bits, a constant.
// Constraints: pinned as part of the whole batch by test/circuits/lib/batch.test.ts.
template Frame(R, W, LAYOUT_ID) {
    signal input deviceDomain;
    signal input present;
    signal input leaf;
    signal input deviceId;
    signal input keyX;
    signal input keyY;
    signal input r8x;
    signal input r8y;
    signal input s;
    signal input sequence;
    signal input count;
    signal input words[R][W];
    signal output entry;
    signal output active[R];

    signal deviceIdBits[64] <== Num2Bits(64)(deviceId);
    signal sequenceBits[64] <== Num2Bits(64)(sequence);

    active <== ReadingCount(R)(present, count);
    LeafBinding()(present, leaf, keyX, keyY, deviceId);

    signal readingsHash <== ReadingsHash(R, W)(words, active);
    signal messageHash <== Poseidon(5)([deviceDomain, deviceId, LAYOUT_ID, sequence * 256 + count, readingsHash]);
    FrameSignature()(present, keyX, keyY, r8x, r8y, s, messageHash);

    entry <== present * messageHash;
}
