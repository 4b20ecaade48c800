// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title VerifyingKey
/// @notice Stores a Groth16 verifying key as the code of an account of its own, which nothing can change afterwards. The same key
/// always lies in the same account, so the account stands for the key.
/// @dev Encoding, 32 bytes a word: alpha(x,y) beta(x1,x0,y1,y0) gamma(4) delta(4) IC[0](x,y) … IC[n](x,y) for n public
/// signals. The account's code is one STOP byte followed by the encoded key, so it can never run or destroy itself.
library VerifyingKey {
    /// Modulus of the coordinates of BN254.
    uint256 internal constant Q = 21888242871839275222246405745257275088696311157297823662689037894645226208583;
    /// Words before the IC points: alpha 2, beta 4, gamma 4, delta 4.
    uint256 internal constant HEAD_WORDS = 14;

    /// @notice An encoded key has `expectedBytes` bytes for the project's number of signals.
    error KeyLength(uint256 actualBytes, uint256 expectedBytes);
    /// @notice A coordinate is not below the modulus.
    error KeyCoordinateOutOfField(uint256 word, uint256 value);
    /// @notice Gamma equals delta: nobody contributed to the key, so anybody can forge.
    error KeyWithoutContribution();
    /// @notice The account could not be created: too little gas.
    error KeyNotStored();

    /// @notice Bytes of an encoded key for that many public signals.
    function encodedLength(uint256 signals) internal pure returns (uint256) {
        return 32 * (HEAD_WORDS + 2 * (signals + 1));
    }

    /// @notice Checks length and coordinate ranges, and that somebody contributed to the key; then stores it unless it is stored
    /// already. Points are checked by the precompiles at each use.
    /// @dev A setup begins with delta = gamma. Under such a key anybody proves anything: (alpha, beta, −Σ signal·IC).
    function store(bytes memory key, uint256 signals) internal returns (address account) {
        if (key.length != encodedLength(signals)) revert KeyLength(key.length, encodedLength(signals));
        for (uint256 word = 0; word < key.length / 32; word++) {
            uint256 value;
            assembly ("memory-safe") {
                value := mload(add(add(key, 32), mul(word, 32)))
            }
            if (value >= Q) revert KeyCoordinateOutOfField(word, value);
        }
        bytes32 gamma;
        bytes32 delta;
        assembly ("memory-safe") {
            gamma := keccak256(add(key, 224), 128)
            delta := keccak256(add(key, 352), 128)
        }
        if (gamma == delta) revert KeyWithoutContribution();
        bytes memory creation = _creationCode(key);
        account = _accountOf(keccak256(creation));
        if (account.code.length != 0) return account;
        assembly ("memory-safe") {
            account := create2(0, add(creation, 32), mload(creation), 0)
        }
        if (account == address(0)) revert KeyNotStored();
    }

    /// @dev 11 bytes of constructor: return everything after themselves; then STOP and the key.
    function _creationCode(bytes memory key) private pure returns (bytes memory) {
        return abi.encodePacked(hex"600b380380600b5f395ff3", hex"00", key);
    }

    /// @dev EIP-1014 with salt 0.
    function _accountOf(bytes32 creationHash) private view returns (address) {
        return address(uint160(uint256(keccak256(abi.encodePacked(hex"ff", address(this), bytes32(0), creationHash)))));
    }
}
