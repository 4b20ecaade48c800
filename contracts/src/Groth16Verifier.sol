// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {VerifyingKey} from "./VerifyingKey.sol";

/// @title Groth16Verifier
/// @notice Verifies Groth16 proofs over BN254 under any verifying key stored by VerifyingKey, one by one or many at once.
/// Verifying reverts, it never returns a boolean somebody could forget to look at.
/// @dev The caller decides which key accounts it trusts: this contract only reads them. Every precompile gets a bounded
/// share of gas, because a failing precompile burns all it was given. What the precompiles check of points: addition and
/// multiplication, that a G1 point has canonical coordinates and lies on the curve, whose order is prime; the pairing, that of
/// each of its points, and that a G2 point is in the subgroup of that order.
contract Groth16Verifier {
    /// Order of the scalar field: public signals are below it.
    uint256 private constant R = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
    uint256 private constant PROOF_BYTES = 256;
    /// EIP-1108 prices are 6,000 for a multiplication, 150 for an addition, 45,000 + 34,000 a pair for pairing; the limits leave room.
    uint256 private constant MULTIPLY_GAS = 10_000;
    uint256 private constant ADD_GAS = 1_000;
    uint256 private constant PAIRING_GAS = 250_000;
    uint256 private constant PAIRING_BASE_GAS = 62_000;
    uint256 private constant PAIR_GAS = 47_000;
    /// keccak256("attestream.groth16.many.v1"), first word of the seed.
    bytes32 private constant SEED_TAG = keccak256("attestream.groth16.many.v1");

    /// @notice A public signal is not below the group's order.
    error SignalOutOfField(uint256 index, uint256 value);
    /// @notice A coordinate is not below the modulus.
    error CoordinateOutOfField(uint256 index, uint256 value);
    /// @notice A proof has 256 bytes.
    error ProofLength(uint256 actualBytes, uint256 expectedBytes);
    /// @notice The call has bytes that belong to no argument, or lacks some.
    error CalldataLength(uint256 actualBytes, uint256 expectedBytes);
    /// @notice The account holds no key for so many signals.
    error KeyMismatch(address key, uint256 signals);
    /// @notice The proof does not hold for these signals under this key.
    error ProofInvalid();
    /// @notice The first proof that does not hold.
    error ProofOfManyInvalid(uint256 index);

    /// @notice Returns if and only if `proof` proves `signals` under the key stored at `key`.
    /// @param proof A(x,y) B(x1,x0,y1,y0) C(x,y), 256 bytes.
    function verify(address key, uint256[] calldata signals, bytes calldata proof) external view {
        if (proof.length != PROOF_BYTES) revert ProofLength(proof.length, PROOF_BYTES);
        _checkInputs(key, signals.length, signals, proof);
        if (!_holds(key, signals, proof)) revert ProofInvalid();
    }

    /// @notice Returns if and only if each proof proves its signals under the key stored at `key`; names the first that does not.
    /// @param signals Those of the first proof, then those of the second, …; the same number for each.
    /// @param proofs One after another, 256 bytes each.
    /// @dev One equation in place of many: each proof's is raised to a coefficient of its own, and the product must hold. The
    /// coefficients, 128 bits and not zero, come from a hash of everything that goes into the equation, so whoever chooses a
    /// proof changes all of them: what one proof lacks another can make up for with probability 2^-128.
    function verifyMany(address key, uint256[] calldata signals, bytes calldata proofs) external view {
        uint256 count = proofs.length / PROOF_BYTES;
        if (count == 0 || proofs.length % PROOF_BYTES != 0) revert ProofLength(proofs.length, PROOF_BYTES);
        uint256 width = signals.length / count;
        if (signals.length % count != 0) revert KeyMismatch(key, signals.length);
        _checkInputs(key, width, signals, proofs);
        if (_holdTogether(key, width, signals, proofs)) return;
        for (uint256 i = 0; i < count; i++) {
            if (!_holds(key, signals[i * width:(i + 1) * width], proofs[i * PROOF_BYTES:])) revert ProofOfManyInvalid(i);
        }
        revert ProofInvalid(); // each holds and their product does not: a precompile failed for want of gas
    }

    function _checkInputs(address key, uint256 width, uint256[] calldata signals, bytes calldata proofs) private view {
        if (key.code.length != 1 + VerifyingKey.encodedLength(width)) revert KeyMismatch(key, width);
        uint256 calldataBytes = 4 + 32 * (5 + signals.length) + proofs.length; // three heads, two lengths
        if (msg.data.length != calldataBytes) revert CalldataLength(msg.data.length, calldataBytes);
        for (uint256 i = 0; i < proofs.length / 32; i++) {
            uint256 coordinate;
            assembly ("memory-safe") {
                coordinate := calldataload(add(proofs.offset, mul(i, 32)))
            }
            if (coordinate >= VerifyingKey.Q) revert CoordinateOutOfField(i, coordinate);
        }
        for (uint256 i = 0; i < signals.length; i++) {
            uint256 signal;
            assembly ("memory-safe") {
                signal := calldataload(add(signals.offset, shl(5, i)))
            }
            if (signal >= R) revert SignalOutOfField(i, signal);
        }
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

    /// @dev With coefficients r:  Π e(r·A, B) · e(−Σr·alpha, beta) · e(−Σr·(IC[0] + Σ signal·IC[j+1]), gamma) · e(−Σr·C, delta) = 1.
    /// Memory from the free pointer on:  the key | scalars(width + 1) | sum(2) term(2) scalar(1) | pairing input(6 a pair).
    /// scalars[0] is Σr, scalars[j] is Σ r·signal[j−1], all modulo the group's order.
    function _holdTogether(address key, uint256 width, uint256[] calldata signals, bytes calldata proofs)
        private
        view
        returns (bool holds)
    {
        uint256 keyBytes = VerifyingKey.encodedLength(width);
        bytes32 seed = _seed(key, keyBytes, signals, proofs);
        uint256 q = VerifyingKey.Q;
        assembly ("memory-safe") {
            /// sum += scalar · (the point at `at`); term and scalar lie behind sum.
            function addProduct(sum, at, scalar) -> done {
                let term := add(sum, 64)
                mcopy(term, at, 64)
                mstore(add(term, 64), scalar)
                done := staticcall(MULTIPLY_GAS, 7, term, 96, term, 64)
                done := and(done, staticcall(ADD_GAS, 6, sum, 128, sum, 64))
            }
            /// Writes the negated sum and a G2 point of the key as a pair, and starts a new sum.
            function putPair(input, sum, g2, modulus) -> next {
                mstore(input, mload(sum))
                mstore(add(input, 32), mod(sub(modulus, mload(add(sum, 32))), modulus))
                mcopy(add(input, 64), g2, 128)
                calldatacopy(sum, calldatasize(), 64)
                next := add(input, 192)
            }

            let keyAt := mload(0x40)
            let scalars := add(keyAt, keyBytes)
            let sum := add(scalars, shl(5, add(width, 1)))
            let start := add(sum, 160)
            let input := start
            extcodecopy(key, keyAt, 1, keyBytes)
            calldatacopy(scalars, calldatasize(), sub(start, scalars)) // zeros
            holds := 1

            let signal := signals.offset
            let proof := proofs.offset
            for { let i := 0 } lt(proof, add(proofs.offset, proofs.length)) { i := add(i, 1) } {
                mstore(0x00, seed)
                mstore(0x20, i)
                let r := add(shr(128, keccak256(0x00, 0x40)), 1)
                mstore(scalars, addmod(mload(scalars), r, R))
                for { let j := 1 } iszero(gt(j, width)) { j := add(j, 1) } {
                    let at := add(scalars, shl(5, j))
                    mstore(at, addmod(mload(at), mulmod(r, calldataload(signal), R), R))
                    signal := add(signal, 32)
                }
                calldatacopy(input, proof, 192) // A and B
                let b0 := mload(add(input, 64)) // the scalar takes the place of B's first word for a moment
                mstore(add(input, 64), r)
                holds := and(holds, staticcall(MULTIPLY_GAS, 7, input, 96, input, 64))
                mstore(add(input, 64), b0)
                calldatacopy(add(sum, 64), add(proof, 192), 64) // C as the term
                mstore(add(sum, 128), r)
                holds := and(holds, staticcall(MULTIPLY_GAS, 7, add(sum, 64), 96, add(sum, 64), 64))
                holds := and(holds, staticcall(ADD_GAS, 6, sum, 128, sum, 64))
                input := add(input, 192)
                proof := add(proof, PROOF_BYTES)
            }
            input := putPair(input, sum, add(keyAt, 320), q) // C and delta
            holds := and(holds, addProduct(sum, keyAt, mload(scalars)))
            input := putPair(input, sum, add(keyAt, 64), q) // alpha and beta
            for { let j := 0 } iszero(gt(j, width)) { j := add(j, 1) } {
                holds := and(holds, addProduct(sum, add(keyAt, add(448, shl(6, j))), mload(add(scalars, shl(5, j)))))
            }
            input := putPair(input, sum, add(keyAt, 192), q) // signals and gamma

            let bytes_ := sub(input, start)
            let gasLimit := add(PAIRING_BASE_GAS, mul(PAIR_GAS, div(bytes_, 192)))
            mstore(sum, 0)
            holds := and(holds, staticcall(gasLimit, 8, start, bytes_, sum, 32))
            holds := and(holds, eq(mload(sum), 1))
        }
    }

    /// @dev A hash of everything that the equation depends on, and of the place where it is asked for.
    function _seed(address key, uint256 keyBytes, uint256[] calldata signals, bytes calldata proofs)
        private
        view
        returns (bytes32)
    {
        bytes memory keyCode = new bytes(keyBytes);
        assembly ("memory-safe") {
            extcodecopy(key, add(keyCode, 32), 1, keyBytes)
        }
        return keccak256(
            abi.encode(
                SEED_TAG,
                block.chainid,
                address(this),
                keccak256(keyCode),
                keccak256(abi.encodePacked(signals)),
                keccak256(proofs)
            )
        );
    }
}
