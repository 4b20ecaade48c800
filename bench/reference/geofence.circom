pragma circom 2.1.6;

// geofence.ts by hand: the same inputs, outputs and meaning, each step of the formula the cheapest that is known.

include "circomlib/circuits/bitify.circom";
include "circomlib/circuits/comparators.circom";
include "gadgets.circom";

// round(1024 cos φ), φ = 0° … 90°; 0 beyond.
function cosine(degrees) {
    var table[91] = [
        1024, 1024, 1023, 1023, 1022, 1020, 1018, 1016, 1014, 1011, 1008, 1005, 1002, 998, 994,
        989, 984, 979, 974, 968, 962, 956, 949, 943, 935, 928, 920, 912, 904, 896,
        887, 878, 868, 859, 849, 839, 828, 818, 807, 796, 784, 773, 761, 749, 737,
        724, 711, 698, 685, 672, 658, 644, 630, 616, 602, 587, 573, 558, 543, 527,
        512, 496, 481, 465, 449, 433, 416, 400, 384, 367, 350, 333, 316, 299, 282,
        265, 248, 230, 213, 195, 178, 160, 143, 125, 107, 89, 71, 54, 36, 18,
        0
    ];
    return degrees < 91 ? table[degrees] : 0;
}

// out[2a + b] = 1 exactly where in[a] = 1 and bit = b: one product for each in but the first, if the in add up to 1.
template Split(N) {
    signal input in[N];
    signal input bit;
    signal output out[2 * N];

    var rest = 0;
    for (var i = 1; i < N; i++) {
        out[2 * i + 1] <== in[i] * bit;
        out[2 * i] <== in[i] - out[2 * i + 1];
        rest += out[2 * i + 1];
    }
    out[1] <== bit - rest;
    out[0] <== in[0] - out[1];
}

// A signed field of N bits as an integer, and its sign.
template SignedField(N) {
    signal input raw;
    signal output value;
    signal output negative;

    signal bits[N] <== Num2Bits(N)(raw);
    negative <== bits[N - 1];
    value <== raw - negative * (1 << N);
}

// Ranges:      reading: enforced here. enabled, config: by the caller.
// Constraints: 327 = 114 for the reading, 78 for the latitude, 27 for the cosine, 42 for the way east, 63 for the distance, 3.
template GeofenceByHand() {
    signal input enabled;
    signal input reading[4]; // lat 28, lon 29, centreLat 28, centreLon 29
    signal input config[2]; // radius 28, units 32
    signal input anchorTime;
    signal output accepted;
    signal output units;

    signal (lat, south) <== SignedField(28)(reading[0]);
    signal (lon, west) <== SignedField(29)(reading[1]);
    signal (centreLat, centreSouth) <== SignedField(28)(reading[2]);
    signal (centreLon, centreWest) <== SignedField(29)(reading[3]);

    signal latitude <== (1 - 2 * south) * lat;
    signal onGlobe <== LessEqThan(28)([latitude, 90000000]);
    signal degrees[8], rest[20];
    (degrees, rest) <== Quotient(8, 20, 20)(latitude, 1000000);

    // The table in 12 rows of 8: degrees above 127 are not on the globe.
    signal column1[2] <== [1 - degrees[2], degrees[2]];
    signal column2[4] <== Split(2)(column1, degrees[1]);
    signal column[8] <== Split(4)(column2, degrees[0]);
    signal row1[2] <== [1 - degrees[6], degrees[6]];
    signal row2[4] <== Split(2)(row1, degrees[5]);
    signal row3[8] <== Split(4)(row2, degrees[4]);
    signal row[16] <== Split(8)(row3, degrees[3]);
    signal ofRow[12];
    var cos = 0;
    for (var i = 0; i < 12; i++) {
        var entry = 0;
        for (var j = 0; j < 8; j++) {
            entry += column[j] * cosine(8 * i + j);
        }
        ofRow[i] <== row[i] * entry;
        cos += ofRow[i];
    }

    signal scaledEast <== (lon - centreLon) * cos;
    signal shifted[41] <== Num2Bits(41)(scaledEast + (1 << 40));
    var east = -(1 << 30);
    for (var i = 10; i < 41; i++) {
        east += shifted[i] * (1 << (i - 10));
    }
    signal north2 <== (lat - centreLat) * (lat - centreLat);
    signal east2 <== east * east;
    signal radius2 <== config[0] * config[0];
    signal near <== LessEqThan(59)([north2 + east2, radius2]);

    accepted <== enabled * onGlobe;
    signal amount <== near * config[1];
    units <== accepted * amount;
}
