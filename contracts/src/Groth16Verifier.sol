// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {VerifyingKey} from "./VerifyingKey.sol";

/// @title Groth16Verifier
/// @notice Verifies Groth16 proofs over BN254 under any verifying key stored by VerifyingKey. Verifying reverts, it never
/// returns a boolean somebody could forget to look at.
/// @dev The caller decides which key accounts it trusts: this contract only reads them. Every precompile gets a bounded
/// share of gas, because a failing precompile burns all it was given: a point off the curve costs at most PAIRING_GAS.
contract Groth16Verifier {
    /// Order of the scalar field: public signals are below it.
    uint256 private constant R = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
    /// EIP-1108 prices are 6,000 for a multiplication, 150 for an addition, 181,000 for four pairs; the limits leave room.
    uint256 private constant MULTIPLY_GAS = 10_000;
    uint256 private constant ADD_GAS = 1_000;
    uint256 private constant PAIRING_GAS = 250_000;

    error SignalOutOfField(uint256 index, uint256 value);
    error CoordinateOutOfField(uint256 index, uint256 value);
    error ProofLength(uint256 actualBytes, uint256 expectedBytes);
    error KeyMismatch(address key, uint256 signals);
    error ProofInvalid();

    /// @notice Returns if and only if `proof` proves `signals` under the key stored at `key`.
    /// @param proof A(x,y) B(x1,x0,y1,y0) C(x,y), 256 bytes.
    function verify(address key, uint256[] calldata signals, bytes calldata proof) external view {
        if (proof.length != 256) revert ProofLength(proof.length, 256);
        if (key.code.length != 1 + VerifyingKey.encodedLength(signals.length)) revert KeyMismatch(key, signals.length);
        for (uint256 i = 0; i < 8; i++) {
            uint256 coordinate = uint256(bytes32(proof[32 * i:]));
            if (coordinate >= VerifyingKey.Q) revert CoordinateOutOfField(i, coordinate);
        }
        for (uint256 i = 0; i < signals.length; i++) {
            if (signals[i] >= R) revert SignalOutOfField(i, signals[i]);
        }
        if (!_holds(key, signals, proof)) revert ProofInvalid();
    }

    /// @dev e(−A, B) · e(alpha, beta) · e(IC[0] + Σ signal·IC[i+1], gamma) · e(C, delta) = 1.
    /// Memory from the free pointer on:  the key | sum(2) term(2) signal(1) | pairing input(24 words).
    function _holds(address key, uint256[] calldata signals, bytes calldata proof) private view returns (bool holds) {
        uint256 keyBytes = VerifyingKey.encodedLength(signals.length);
        uint256 q = VerifyingKey.Q;
        assembly ("memory-safe") {
            let keyAt := mload(0x40)
            let sum := add(keyAt, keyBytes)
            let term := add(sum, 64)
            let input := add(sum, 160)
            extcodecopy(key, keyAt, 1, keyBytes)

            let point := add(keyAt, 448) // 14 words of head, then IC[0]
            mcopy(sum, point, 64)
            holds := 1
            for { let i := 0 } lt(i, signals.length) { i := add(i, 1) } {
                point := add(point, 64)
                mcopy(term, point, 64)
                mstore(add(term, 64), calldataload(add(signals.offset, mul(i, 32))))
                holds := and(holds, staticcall(MULTIPLY_GAS, 7, term, 96, term, 64))
                holds := and(holds, staticcall(ADD_GAS, 6, sum, 128, sum, 64)) // sum and term lie side by side
            }

            calldatacopy(input, proof.offset, 192) // A and B
            let y := add(input, 32)
            mstore(y, mod(sub(q, mload(y)), q)) // −A; the point at infinity stays (0,0)
            mcopy(add(input, 192), keyAt, 192) // alpha and beta
            mcopy(add(input, 384), sum, 64)
            mcopy(add(input, 448), add(keyAt, 192), 128) // gamma
            calldatacopy(add(input, 576), add(proof.offset, 192), 64) // C
            mcopy(add(input, 640), add(keyAt, 320), 128) // delta
            // the sum's memory takes the result, so a failing precompile leaves no stale 1 behind
            mstore(sum, 0)
            holds := and(holds, staticcall(PAIRING_GAS, 8, input, 768, sum, 32))
            holds := and(holds, eq(mload(sum), 1))
        }
    }
}
