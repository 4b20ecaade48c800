pragma circom 2.1.0;

// The devices of a cohort: the leaf of a key and the Merkle root over the slots.

include "circomlib/circuits/poseidon.circom";

// Proves:      if present, leaf = Poseidon(keyX, keyY, deviceId). An absent slot's leaf is free here; the root fixes it.
// Public:      nothing by itself.
// Private:     present, leaf, keyX, keyY, deviceId.
// Ranges:      present: boolean, by the caller (Frame). deviceId: 64 bits, by the caller (Frame).
// Constraints: 262.
template LeafBinding() {
    signal input present;
    signal input leaf;
    signal input keyX;
    signal input keyY;
    signal input deviceId;

    signal expected <== Poseidon(3)([keyX, keyY, deviceId]);
    present * (leaf - expected) === 0;
}

// Proves:      root is the binary Merkle root of Poseidon(left, right) over the leaves of all D slots, in order.
// Public:      nothing by itself; root meets the journal's identityRoot in the main template.
// Private:     leaf (0 for an empty slot).
// Ranges:      none needed: the whole tree is computed, there is no path to choose.
// Constraints: 240·(D − 1).
template IdentityRoot(D) {
    assert(D >= 4 && D <= 64 && (D & (D - 1)) == 0);
    signal input leaf[D];
    signal output root;

    // A heap: the children of node n are 2n and 2n + 1, the root is node 1.
    signal node[2 * D];
    node[0] <== 0;
    for (var slot = 0; slot < D; slot++) {
        node[D + slot] <== leaf[slot];
    }
    for (var n = D - 1; n > 0; n--) {
        node[n] <== Poseidon(2)([node[2 * n], node[2 * n + 1]]);
    }
    root <== node[1];
}
