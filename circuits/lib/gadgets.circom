pragma circom 2.1.6;

// Gadgets of compiled applets, besides circomlib's Num2Bits and IsZero. With signature.circom the only file of ours that assigns
// hints (`<--`).

include "circomlib/circuits/bitify.circom";
include "circomlib/circuits/comparators.circom";

// Proves:      dividend = q * divisor + r with 0 <= r < divisor.
// Private:     dividend, divisor; outputs the bits of q and r, least significant first.
// Ranges:      0 <= dividend < 2^248, 1 <= divisor <= 2^GAP_BITS, and quotient and remainder fit Q_BITS and R_BITS:
//              the compiler proves these for every witness. Q_BITS + GAP_BITS <= 249, so nothing wraps around the field.
// Constraints: Q_BITS + R_BITS + GAP_BITS, plus 1 when the divisor is not a constant.
template Quotient(Q_BITS, R_BITS, GAP_BITS) {
    assert(Q_BITS + GAP_BITS <= 249);
    assert(R_BITS <= 248);
    signal input dividend;
    signal input divisor;
    signal output q[Q_BITS];
    signal output r[R_BITS];

    signal quotient <-- divisor == 0 ? 0 : dividend \ divisor;
    signal remainder <== dividend - quotient * divisor;
    q <== Num2Bits(Q_BITS)(quotient);
    r <== Num2Bits(R_BITS)(remainder);
    signal gap[GAP_BITS] <== Num2Bits(GAP_BITS)(divisor - 1 - remainder);
}
