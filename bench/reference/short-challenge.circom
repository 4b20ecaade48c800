pragma circom 2.1.6;

// A study, no part of the product: Schnorr signatures with a challenge of 128 bits in place of EdDSA's 254, from the parts of
// circuits/lib. docs/short-challenge-signatures.md says what it would save, and why it is not shipped.

include "signature.circom";

// Proves:      bits, highest first, are the low 128 bits of hash; of hash itself if STRICT, else of hash or of hash + r.
// Public:      nothing by itself.
// Private:     hash.
// Ranges:      hash: any field element. bits: boolean each, enforced here.
// Constraints: 254, and 56 if STRICT.
template LowChallengeBits(STRICT) {
    signal input hash;
    signal output bits[128];

    signal all[254];
    var sum = 0;
    for (var i = 253; i >= 0; i--) {
        all[253 - i] <-- (hash >> i) & 1;
        all[253 - i] * (1 - all[253 - i]) === 0;
        sum += all[253 - i] * (1 << i);
    }
    sum === hash;
    if (STRICT) {
        // r − 1
        BitsAtMost(254, 64323764613183177041862057485226039389, 53438638232309528389504892708671455232)(all);
    }
    for (var i = 0; i < 128; i++) {
        bits[i] <== all[126 + i];
    }
}

// Proves:      S·B8 = R8 + 8·c·A with c = 2^129 + 2·(Poseidon(R8, A, message) mod 2^128) + 1, S below the subgroup order, A and R8
//              points of BabyJubJub and A not of low order. c is odd and has a known highest bit, so that 128 steps of the ladder from
//              3 give it exactly, and no multiple on the way, all below 2^130, leaves a slope free.
// Public:      nothing by itself.
// Private:     all.
// Ranges:      S: below the subgroup order, enforced here.
// Constraints: 2,283 if STRICT, else 2,227.
template ShortChallengeSignature(STRICT) {
    signal input present;
    signal input keyX;
    signal input keyY;
    signal input r8x;
    signal input r8y;
    signal input s;
    signal input message;

    var B8[2] = [
        5299619240641551281634865583518297030282874472190772894086521144482721001553,
        16950150798460657717958625567821834550301663161624707787222815936182638968203
    ];

    BabyCheck()(keyX, keyY);
    BabyCheck()(r8x, r8y);
    signal (key2X, key2Y) <== BabyDbl()(keyX, keyY);
    signal (key4X, key4Y) <== BabyDbl()(key2X, key2Y);
    signal (key8X, key8Y) <== BabyDbl()(key4X, key4Y);
    signal baseX <== B8[0] + present * (key8X - B8[0]);
    signal baseY <== B8[1] + present * (key8Y - B8[1]);

    signal hash <== Poseidon(5)([r8x, r8y, keyX, keyY, message]);
    signal bits[128] <== LowChallengeBits(STRICT)(hash);

    signal (twiceX, twiceY) <== BabyDbl()(baseX, baseY);
    signal (thriceX, thriceY) <== BabyAdd()(twiceX, twiceY, baseX, baseY);
    signal base[2] <== Edwards2Montgomery()([baseX, baseY]);
    signal start[2] <== Edwards2Montgomery()([thriceX, thriceY]);
    signal accU[129];
    signal accV[129];
    (accU[0], accV[0]) <== (start[0], start[1]);
    for (var i = 0; i < 128; i++) {
        (accU[i + 1], accV[i + 1]) <== LadderStep()(bits[i], accU[i], accV[i], base[0], base[1]);
    }
    signal multiple[2] <== Montgomery2Edwards()([accU[128], accV[128]]);
    signal (leftX, leftY) <== BabyAdd()(multiple[0], multiple[1], r8x, r8y);

    signal sBits[251] <== SubgroupScalarBits()(s);
    component sB8 = EscalarMulFix(251, B8);
    for (var i = 0; i < 251; i++) {
        sB8.e[i] <== sBits[250 - i];
    }
    present * (leftX - sB8.out[0]) === 0;
    present * (leftY - sB8.out[1]) === 0;
}
