pragma circom 2.1.6;

// threshold.ts by hand: the same inputs, outputs and meaning, each step the cheapest that is known.

include "circomlib/circuits/bitify.circom";
include "circomlib/circuits/comparators.circom";

// Ranges:      reading: enforced here. enabled, config: by the caller.
// Constraints: 265 = 128 for the reading, 4 comparisons of 33, 5 products.
template ThresholdByHand() {
    signal input enabled;
    signal input reading[4]; // timeSec milliKelvin batteryMillivolts serial
    signal input config[5]; // fromSec toSec minMilliKelvin minMillivolts units
    signal input anchorTime;
    signal output accepted;
    signal output units;

    for (var i = 0; i < 4; i++) {
        _ <== Num2Bits(32)(reading[i]);
    }
    signal started <== GreaterEqThan(32)([reading[0], config[0]]);
    signal open <== LessEqThan(32)([reading[0], config[1]]);
    signal warm <== GreaterEqThan(32)([reading[1], config[2]]);
    signal charged <== GreaterEqThan(32)([reading[2], config[3]]);

    signal inWindow <== started * open;
    accepted <== enabled * inWindow;
    signal pays <== warm * charged;
    signal amount <== pays * config[4];
    units <== accepted * amount;
}
