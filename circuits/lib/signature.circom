pragma circom 2.1.6;

// EdDSA-Poseidon as circomlib's EdDSAPoseidonVerifier defines it, in three quarters of its constraints: key times challenge by
// a ladder of 6 constraints per bit instead of 9, and ranges compared with constants run by run. With gadgets.circom the only
// file of ours that assigns hints (`<--`).

include "circomlib/circuits/babyjub.circom";
include "circomlib/circuits/bitify.circom";
include "circomlib/circuits/escalarmulfix.circom";
include "circomlib/circuits/montgomery.circom";
include "circomlib/circuits/poseidon.circom";

// Bit i of HIGH·2^128 + LOW.
function limbBit(HIGH, LOW, i) {
    return i < 128 ? (LOW >> i) & 1 : (HIGH >> (i - 128)) & 1;
}

// How many runs of zeros the N bits of HIGH·2^128 + LOW have.
function zeroRuns(N, HIGH, LOW) {
    var runs = 0;
    for (var i = 0; i < N; i++) {
        if (limbBit(HIGH, LOW, i) == 0 && (i == N - 1 || limbBit(HIGH, LOW, i + 1) == 1)) {
            runs++;
        }
    }
    return runs;
}

// Proves:      the bits `in`, highest first, are as an integer at most HIGH·2^128 + LOW. Where the bound has a run of zeros and
//              `in` has met all ones of the bound above it, `in` must be zero too: `missed` counts the ones it has not met,
//              and missed · q = ones of the run. Every 64 bits its square goes on in its place, zero for zero: sums stay short.
// Public:      nothing by itself.
// Private:     in.
// Ranges:      in: boolean each, by the caller. N ≤ 254, LOW < 2^128.
// Constraints: one per run of zeros of the bound, and one per 64 bits after the first. q is free where both sides are 0, and nothing depends on it.
template BitsAtMost(N, HIGH, LOW) {
    assert(N <= 254);
    signal input in[N];

    var RUNS = zeroRuns(N, HIGH, LOW);
    signal q[RUNS];
    signal square[N \ 64 + 1];
    square[0] <== 0;
    var missed = 0;
    var ones = 0;
    var run = 0;
    for (var i = N - 1; i >= 0; i--) {
        var bit = in[N - 1 - i];
        if (limbBit(HIGH, LOW, i) == 1) {
            missed += 1 - bit;
        } else {
            ones += bit;
            if (i == 0 || limbBit(HIGH, LOW, i - 1) == 1) {
                q[run] <-- missed == 0 ? 0 : ones / missed;
                missed * q[run] === ones;
                ones = 0;
                run++;
            }
        }
        if (i % 64 == 0 && i > 0) {
            square[i \ 64] <== missed * missed;
            missed = square[i \ 64];
        }
    }
}

// Proves:      out, highest first, are the bits of in, which is below the order of BabyJubJub's prime subgroup.
// Public:      nothing by itself.
// Private:     in.
// Ranges:      out: boolean each, enforced here.
// Constraints: 314. Highest first, since circom resolves the sum for its last wire: the lowest bit stands in the fewest others.
template SubgroupScalarBits() {
    signal input in;
    signal output out[251];

    var sum = 0;
    for (var i = 250; i >= 0; i--) {
        out[250 - i] <-- (in >> i) & 1;
        out[250 - i] * (1 - out[250 - i]) === 0;
        sum += out[250 - i] * (1 << i);
    }
    sum === in;
    BitsAtMost(251, 8040470576647897130232757185653254923, 227624731211188196951237378859910375152)(out);
}

// Proves:      12·ℓ ≤ 2^254 + the integer with the bits in, highest first, < 12·ℓ + r.
// Public:      nothing by itself.
// Private:     in.
// Ranges:      in: boolean each, by the caller.
// Constraints: 134.
template ChallengeRange() {
    signal input in[254];

    component least = BitsAtMost(254, 73655536540694466168894217488045046643, 331044527754187807755522920566989401267);
    for (var i = 0; i < 254; i++) {
        least.in[i] <== 1 - in[i];
    }
    BitsAtMost(254, 75738819802723326738811491855123045609, 62676477399060184097356579573450265420)(in);
}

// Proves:      2^254 + the integer with the bits out, highest first, is hash + 12·ℓ, with ℓ the order of the prime subgroup: a
//              multiplier that acts like hash on its points and has a known highest bit. The window of r values from 12·ℓ on
//              leaves one choice.
// Public:      nothing by itself.
// Private:     hash.
// Ranges:      hash: any field element. out: boolean each, enforced here.
// Constraints: 388.
template ChallengeBits() {
    signal input hash;
    signal output out[254];

    // 12·ℓ − 2^254
    var OFFSET = 3884341998429863977476862365713935669604271499492666100538191929403086066508;
    var LOW_MASK = (1 << 128) - 1;
    var low = (hash & LOW_MASK) + (OFFSET & LOW_MASK);
    var high = (hash >> 128) + (OFFSET >> 128) + (low >> 128);
    var sum = 0;
    for (var i = 253; i >= 0; i--) {
        out[253 - i] <-- i < 128 ? (low >> i) & 1 : (high >> (i - 128)) & 1;
        out[253 - i] * (1 - out[253 - i]) === 0;
        sum += out[253 - i] * (1 << i);
    }
    sum === hash + OFFSET;

    ChallengeRange()(out);
}

// Proves:      (outU, outV) = 2·acc + (bit ? base : −base) on the Montgomery form of BabyJubJub, as (acc ± base) + acc without
//              the v of the sum.
// Public:      nothing by itself.
// Private:     all.
// Ranges:      bit: boolean, by the caller. acc and base: points; acc is neither ±base nor neutral and 2·acc is not ∓base, or
//              a slope would be free: by the caller.
// Constraints: 6.
template LadderStep() {
    signal input bit;
    signal input accU;
    signal input accV;
    signal input baseU;
    signal input baseV;
    signal output outU;
    signal output outV;

    var A = 168698; // v² = u³ + A·u² + u

    signal addV <== (2 * bit - 1) * baseV;
    signal slope <-- (addV - accV) / (baseU - accU);
    slope * (baseU - accU) === addV - accV;
    signal sumU <== slope * slope - A - accU - baseU;

    // The sum's v is slope·(accU − sumU) − accV, so the second slope is 2·accV / (accU − sumU) − slope.
    signal second <-- 2 * accV / (accU - sumU) - slope;
    (second + slope) * (accU - sumU) === 2 * accV;
    outU <== second * second - A - sumU - accU;
    outV <== second * (accU - outU) - accV;
}

// Proves:      out = hash·base + (1 − bit0)·base, with bit0 the lowest bit of hash + 12·ℓ.
// Public:      nothing by itself.
// Private:     all.
// Ranges:      base: a point of the prime subgroup other than the neutral one, by the caller; the neutral one has no Montgomery
//              form and is refused here. With k the multiple of base reached so far, a step would leave a slope free only for k
//              or 2k congruent to 0 or ±1 modulo ℓ. k starts at 3 and grows as an integer, so that takes k ≥ (ℓ − 1) / 2: only
//              the last steps, and only for 100 hashes in all, each of them one to find a preimage of.
// Constraints: 1,924.
template ChallengeMultiple() {
    signal input hash;
    signal input baseX;
    signal input baseY;
    signal output outX;
    signal output outY;
    signal output bit0;

    signal bits[254] <== ChallengeBits()(hash);
    bit0 <== bits[253];

    signal (twiceX, twiceY) <== BabyDbl()(baseX, baseY);
    signal (thriceX, thriceY) <== BabyAdd()(twiceX, twiceY, baseX, baseY);
    signal base[2] <== Edwards2Montgomery()([baseX, baseY]);
    signal start[2] <== Edwards2Montgomery()([thriceX, thriceY]);

    signal accU[254];
    signal accV[254];
    (accU[0], accV[0]) <== (start[0], start[1]);
    for (var i = 0; i < 253; i++) {
        (accU[i + 1], accV[i + 1]) <== LadderStep()(bits[i], accU[i], accV[i], base[0], base[1]);
    }
    signal out[2] <== Montgomery2Edwards()([accU[253], accV[253]]);
    (outX, outY) <== (out[0], out[1]);
}

// Proves:      A and R8 are points of BabyJubJub and, if present, S·B8 = R8 + 8·h·A with h = Poseidon(R8, A, message),
//              S below the subgroup order and A not of low order.
// Public:      nothing by itself.
// Private:     present, key, R8, S, message. An absent slot passes (0,1), (0,1) and 0.
// Ranges:      present: boolean, by the caller (ReadingCount). S: below the subgroup order, enforced here.
// Constraints: 3,119.
template FrameSignature() {
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

    // 8·A lies in the prime subgroup; B8 stands in for it in an absent slot.
    signal (key2X, key2Y) <== BabyDbl()(keyX, keyY);
    signal (key4X, key4Y) <== BabyDbl()(key2X, key2Y);
    signal (key8X, key8Y) <== BabyDbl()(key4X, key4Y);
    signal baseX <== B8[0] + present * (key8X - B8[0]);
    signal baseY <== B8[1] + present * (key8Y - B8[1]);

    signal hash <== Poseidon(5)([r8x, r8y, keyX, keyY, message]);
    signal (multipleX, multipleY, bit0) <== ChallengeMultiple()(hash, baseX, baseY);
    signal (leftX, leftY) <== BabyAdd()(multipleX, multipleY, r8x, r8y);

    signal sBits[251] <== SubgroupScalarBits()(s);
    component sB8 = EscalarMulFix(251, B8);
    for (var i = 0; i < 251; i++) {
        sB8.e[i] <== sBits[250 - i];
    }
    signal restX <== (1 - bit0) * baseX;
    signal restY <== 1 + (1 - bit0) * (baseY - 1);
    signal (rightX, rightY) <== BabyAdd()(sB8.out[0], sB8.out[1], restX, restY);

    present * (leftX - rightX) === 0;
    present * (leftY - rightY) === 0;
}
