pragma circom 2.1.0;

// What a whole batch adds to its frames: the batch root, the soft sequence rule of a slot, units, lanes, and the
// journal's values that only need a range or a place in the proof. The generated main file wires these to the applet.

include "circomlib/circuits/bitify.circom";
include "circomlib/circuits/comparators.circom";
include "frame.circom";
include "identity.circom";
include "ledger.circom";
include "sponge.circom";

// Proves:      a present frame counts if its sequence is in order: then its active readings are enabled and its sequence
//              becomes the slot's last; otherwise nothing is enabled and last stays.
// Public:      nothing by itself.
// Private:     all.
// Ranges:      present, active: boolean, active only if present, by the caller (Frame). sequence: 64 bits, by the caller
//              (Frame). last: 64 bits, enforced here.
// Constraints: 131 of SequenceOrder, R + 2.
template SlotRule(R) {
    signal input present;
    signal input active[R];
    signal input sequence;
    signal input last;
    signal output enabled[R];
    signal output nextLast;

    signal inOrder <== SequenceOrder()(sequence, last);
    for (var i = 0; i < R; i++) {
        enabled[i] <== active[i] * inOrder;
    }
    signal counts <== present * inOrder;
    nextLast <== last + counts * (sequence - last);
}

// Proves:      total = min(Σ units, MAX).
// Public:      nothing by itself.
// Private:     units.
// Ranges:      units: u32 each, by the applet. Their sum: 38 bits, enforced here (R ≤ 64). MAX: 1..2^38 − 1, a constant.
// Constraints: 78; 38 if MAX can never be exceeded.
template SaturatedUnits(R, MAX) {
    assert(R >= 1 && R <= 64);
    assert(MAX >= 1 && MAX < (1 << 38));
    signal input units[R];
    signal output total;

    var sum = 0;
    for (var i = 0; i < R; i++) {
        sum += units[i];
    }
    signal sumBits[38] <== Num2Bits(38)(sum);
    if (MAX < R * ((1 << 32) - 1)) {
        signal over <== LessThan(38)([MAX, sum]);
        total <== sum + over * (MAX - sum);
    } else {
        total <== sum;
    }
}

// Proves:      lanes[i] = Σ over j < 4 of units[4i + j]·2^(64·j).
// Public:      nothing by itself; lanes are the journal's.
// Private:     units.
// Ranges:      units: 38 bits each, by the caller (SaturatedUnits), so that a lane fits 230 bits and nothing carries.
// Constraints: 0 (linear).
template Lanes(D) {
    assert(D % 4 == 0);
    signal input units[D];
    signal output lanes[D \ 4];

    for (var i = 0; i < D \ 4; i++) {
        var lane = 0;
        for (var j = 0; j < 4; j++) {
            lane += units[4 * i + j] * (1 << (64 * j));
        }
        lanes[i] <== lane;
    }
}

// Proves:      root = sponge(2, the D entries): no anchored frame can be dropped or moved to another slot.
// Public:      nothing by itself; root meets the journal's batchRoot in the main template.
// Private:     entry (0 for an absent frame).
// Ranges:      none needed.
// Constraints: the sponge of D words.
template BatchRoot(D) {
    signal input entry[D];
    signal output root <== Sponge(2, D)(entry);
}

// Proves:      anchorTime has 40 bits, and binding takes part in a constraint, so that no tool can drop it from the proof.
// Public:      anchorTime, binding.
// Private:     nothing.
// Ranges:      anchorTime: 40 bits, enforced here. binding: any field element; the contract recomputes it.
// Constraints: 41.
template AnchoredValues() {
    signal input anchorTime;
    signal input binding;

    signal anchorTimeBits[40] <== Num2Bits(40)(anchorTime);
    signal bindingSquare <== binding * binding;
}
