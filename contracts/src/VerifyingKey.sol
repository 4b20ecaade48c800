// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title VerifyingKey
/// @notice Stores a Groth16 verifying key as the code of an account of its own, which nothing can change afterwards.
/// @dev Encoding, 32 bytes a word: alpha(x,y) beta(x1,x0,y1,y0) gamma(4) delta(4) IC[0](x,y) … IC[n](x,y) for n public
/// signals. The account's code is one STOP byte followed by the encoded key, so it can never run or destroy itself.
library VerifyingKey {
    /// Modulus of the coordinates of BN254.
    uint256 internal constant Q = 21888242871839275222246405745257275088696311157297823662689037894645226208583;
    /// Words before the IC points: alpha 2, beta 4, gamma 4, delta 4.
    uint256 internal constant HEAD_WORDS = 14;

    error KeyLength(uint256 actualBytes, uint256 expectedBytes);
    error KeyCoordinateOutOfField(uint256 word, uint256 value);
    error KeyNotStored();

    /// @notice Bytes of an encoded key for that many public signals.
    function encodedLength(uint256 signals) internal pure returns (uint256) {
        return 32 * (HEAD_WORDS + 2 * (signals + 1));
    }

    /// @notice Checks length and coordinate ranges, then stores the key. Points are checked by the precompiles at each use.
    function store(bytes memory key, uint256 signals) internal returns (address account) {
        if (key.length != encodedLength(signals)) revert KeyLength(key.length, encodedLength(signals));
        for (uint256 word = 0; word < key.length / 32; word++) {
            uint256 value;
            assembly ("memory-safe") {
                value := mload(add(add(key, 32), mul(word, 32)))
            }
            if (value >= Q) revert KeyCoordinateOutOfField(word, value);
        }
        // 11 bytes of constructor: return everything after themselves; then STOP and the key.
        bytes memory creation = abi.encodePacked(hex"600b380380600b5f395ff3", hex"00", key);
        assembly ("memory-safe") {
            account := create(0, add(creation, 32), mload(creation))
        }
        if (account == address(0)) revert KeyNotStored();
    }
}
